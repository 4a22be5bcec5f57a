"""A finding of an investigation, taken apart as a decision of a night is."""

from dataclasses import replace
from typing import Any

import numpy as np
from pyspark.sql import Row
from pyspark.sql import functions as F

from jobs.decisions.cohort import Cohort
from jobs.decisions.strangers import stranger_rates
from jobs.decisions.thresholds import IdentificationThresholds, for_identification, for_verification
from jobs.faces.lookup import faces_in
from jobs.investigations.explained import (
    Explained,
    FoundBy,
    SampleScore,
    decision_at,
    nearest_stranger,
    other_contract,
    scored,
)
from jobs.investigations.record import recorded
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from schemas.names import Names
from udfs.errors import InputError
from udfs.records import edges
from udfs.search.cohort import cohort_similarity
from udfs.search.similarity import similarity
from udfs.vision.contract import Contract

_AGREES = 0.01
"""The largest difference between a similarity and the same measured again: more means that the photo has changed."""


def explained_finding(
    context: Context, investigation: str, face_id: str, asked: str | None, gallery_name: str | None, agreed: Contract
) -> Explained:
    """Take a finding apart, as gallery and photos are now. Findings keep no thresholds: those in force are taken.

    asked: of several questions for which the face was found, which one; else the one it is most like. gallery_name: of
    a person that was asked with, where there are several galleries now.

    Raises:
        InputError: there is no such finding, or what it was compared with is there no longer.
    """
    about = recorded(context, investigation)
    rows = _findings(context, investigation, face_id)
    row = _meant(investigation, rows, asked)
    face = context.tables.read("faces").where((F.col("face_id") == face_id) & _on(row)).first()
    assert face is not None  # investigation_findings joins it
    if face.contract_id != agreed.contract_id:
        raise other_contract(face_id, face.contract_id, agreed)
    found = _found_by(context, about, row)
    others = [each for each in rows if each.asked != row.asked]
    if about.kind == "identify":
        return _of_identify(context, about, row, face, found, others)
    return _of_search(context, about, row, face, found, others, gallery_name, agreed)


def _findings(context: Context, investigation: str, face_id: str) -> list[Row]:
    """Those of one face, the most similar first."""
    rows = Names(context.spark, context.tables).rows("investigation_findings")
    rows = rows.where((F.col("investigation") == investigation) & (F.col("face_id") == face_id))
    found = rows.orderBy(F.desc("similarity"), "asked").collect()
    if not found:
        raise InputError(
            f"investigation {investigation!r} has not found face {face_id!r}, or the face has been removed since; take"
            " its id from investigation_findings"
        )
    return found


def _meant(investigation: str, rows: list[Row], asked: str | None) -> Row:
    meant = [row for row in rows if asked in (None, row.asked)]
    if not meant:
        there = ", ".join(repr(row.asked) for row in rows)
        raise InputError(f"investigation {investigation!r} has found this face for {there}, and not for {asked!r}")
    return meant[0]


def _on(row: Row) -> Any:
    return F.col("run_date") == F.lit(row.run_date)


def _found_by(context: Context, about: Row, row: Row) -> FoundBy:
    strangers, noted = row.strangers, row.strangers is not None
    if not noted:
        rates = stranger_rates(context, row.contract_id)
        expected = None if rates is None else float(rates.expected(np.array([row.similarity]), about.searched)[0])
        strangers = None if expected is None or np.isnan(expected) else expected
    return FoundBy(about.investigation, about.kind, row.asked, row.rank, about.searched, strangers, noted, row.decision)


def _of_identify(context: Context, about: Row, row: Row, face: Row, found: FoundBy, others: list[Row]) -> Explained:
    gallery = _gallery(context, row.gallery_name, row)
    samples = _samples(context, gallery, row.person_id, face)
    carrying = _carrying(row.person_id, [each for each in samples if each.row["sample_id"] == row.sample_id])
    thresholds = for_identification(
        context, gallery.contract_id, gallery.embedder, gallery.persons, about.question.get("threshold_id")
    )
    decided = _decided(row, face, carrying, thresholds, row.similarity - _normalised_by(context, thresholds, face))
    stranger = nearest_stranger(context, decided, samples)
    return Explained(decided, face, samples, carrying, _with_photos(context, others), stranger, found)


def _of_search(
    context: Context,
    about: Row,
    row: Row,
    face: Row,
    found: FoundBy,
    others: list[Row],
    gallery_name: str | None,
    agreed: Contract,
) -> Explained:
    pairs = for_verification(context, agreed)
    thresholds = IdentificationThresholds(pairs.match, pairs.review, pairs.threshold_id)
    if "person" not in about.question:
        carrying = _asked_with(context, about, row, face, agreed)
        decided = _decided(row, face, carrying, thresholds, row.similarity)
        return Explained(decided, face, [carrying], carrying, _with_asked(others), None, found)
    gallery = _gallery(context, gallery_name or about.question.get("gallery_name"), row)
    samples = _samples(context, gallery, row.asked, face)
    carrying = _carrying(row.asked, [each for each in samples if each.row["uri"] == row.asked_uri])
    decided = _decided(row, face, carrying, thresholds, row.similarity)
    return Explained(decided, face, samples, carrying, [], nearest_stranger(context, decided, samples), found)


def _gallery(context: Context, name: str | None, row: Row) -> GallerySnapshot:
    gallery = GallerySnapshot.open(context, name)
    if gallery.contract_id != row.contract_id:
        raise InputError(
            f"the finding is of contract {row.contract_id[:12]}, gallery {gallery.name!r} is now of"
            f" {gallery.contract_id[:12]}; ask again with the present models"
        )
    return gallery


def _samples(context: Context, gallery: GallerySnapshot, person_id: str, face: Row) -> list[SampleScore]:
    """The person's, the most similar first; those that have been withdrawn or set aside since as well."""
    mine = F.col("person_id") == person_id
    of_gallery = (F.col("gallery_name") == gallery.name) & (F.col("contract_id") == gallery.contract_id)
    in_force = {row.sample_id for row in gallery.samples.where(mine).select("sample_id").collect()}
    samples = scored(context.tables.read("gallery").where(of_gallery & mine), face)
    return [replace(each, in_force=each.row["sample_id"] in in_force) for each in samples]


def _carrying(person_id: str, samples: list[SampleScore]) -> SampleScore:
    """The sample that a finding rests on, where it is kept."""
    if not samples:
        raise InputError(f"the photo of {person_id} that this finding rests on is not kept any more")
    return samples[0]


def _asked_with(context: Context, about: Row, row: Row, face: Row, agreed: Contract) -> SampleScore:
    """The face that was asked with: of the lake, or of a photo."""
    if "face_id" in about.question:
        asked = context.tables.read("faces").where(F.col("face_id") == row.asked).first()
        if asked is None:
            raise InputError(f"the face that was asked with, {row.asked}, has been removed since")
        seen, image_id = asked.asDict(recursive=True), str(asked.image_id)
    else:
        seen, image_id = _in_photo(context, row, agreed), ""
    vectors = (np.array([each], np.float32) for each in (face.embedding, seen["embedding"]))
    again = float(similarity(*vectors)[0])
    if abs(again - row.similarity) > _AGREES:
        raise InputError(
            f"what was asked with is {again:.3f} similar to face {row.face_id} now, and was {row.similarity:.3f}: the"
            f" photo {row.asked_uri} has changed"
        )
    of_sample = {"sample_id": row.asked, "name": row.asked, "uri": row.asked_uri, "enrolled_at": None}
    return SampleScore(
        of_sample | {name: seen[name] for name in ("box", "quality", "embedding")},
        row.similarity,
        face=seen,
        image_id=image_id,
    )


def _in_photo(context: Context, row: Row, agreed: Contract) -> dict[str, Any]:
    """The face in a photo that stands where the one that was asked with stood."""
    (seen,) = faces_in(context, [row.asked_uri], agreed).to_pylist()
    if seen["outcome"] != "faces":
        raise InputError(
            f"{row.asked_uri}: the photo that was asked with cannot be looked at any more: {seen['outcome']}"
        )
    place = np.array(edges(row.asked_box.asDict()))
    away = [float(np.abs(np.array(edges(each["box"])) - place).max()) for each in seen["faces"]]
    found: dict[str, Any] = seen["faces"][int(np.argmin(away))]
    return found


def _normalised_by(context: Context, thresholds: IdentificationThresholds, face: Row) -> float:
    if thresholds.cohort_id is None:
        return 0.0
    cohort = Cohort.read(context, thresholds.cohort_id)
    return float(cohort_similarity(np.array([face.embedding], np.float32), cohort.vectors)[0])


def _decided(row: Row, face: Row, carrying: SampleScore, thresholds: IdentificationThresholds, score: float) -> Row:
    """What face_decisions would say of the finding, by the thresholds in force."""
    of_person = "person_id" in carrying.row
    return Row(
        gallery_name=carrying.row.get("gallery_name"),
        person_id=carrying.row["person_id"] if of_person else None,
        name=carrying.row["name"],
        run_date=row.run_date,
        captured_at=row.captured_at,
        source=row.source,
        uri=row.uri,
        image_id=row.image_id,
        face_id=row.face_id,
        box=face.box,
        quality=face.quality,
        decision=decision_at(score, thresholds.match, thresholds.review),
        similarity=row.similarity,
        score=score,
        threshold_id=thresholds.threshold_id,
        threshold=thresholds.match,
        review_threshold=thresholds.review,
        sample_id=carrying.row["sample_id"],
        contract_id=row.contract_id,
        run_id=row.run_id,
    )


def _with_photos(context: Context, others: list[Row]) -> list[Row]:
    """Findings of `identify` with the photos that are nearest."""
    ids = [row.sample_id for row in others]
    photos = (
        context.tables.read("gallery").where(F.col("sample_id").isin(ids)).select("sample_id", "name", "uri", "box")
    )
    known = {row.sample_id: row for row in photos.collect()}
    return [
        Row(
            person_id=row.person_id,
            sample_id=row.sample_id,
            similarity=row.similarity,
            name=known[row.sample_id].name if row.sample_id in known else None,
            uri=known[row.sample_id].uri if row.sample_id in known else None,
            box=known[row.sample_id].box if row.sample_id in known else None,
        )
        for row in others
    ]


def _with_asked(others: list[Row]) -> list[Row]:
    """Findings of `search` for other questions, with the photos that were asked with."""
    return [
        Row(
            person_id=row.asked,
            sample_id=row.asked,
            similarity=row.similarity,
            name=row.asked,
            uri=row.asked_uri,
            box=row.asked_box,
        )
        for row in others
    ]
