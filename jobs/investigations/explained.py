"""A decision on a face, taken apart: which samples speak for it, who else it might be, and what there would be without
the sample that carried it."""

from dataclasses import dataclass
from shlex import quote
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.investigations.asked import AskedFace, AskedFaces
from jobs.investigations.findings import Finding, Near, described, ranked
from jobs.matching.nearest_faces import SearchScope, nearest_faces
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from schemas.names import Names
from udfs.errors import InputError
from udfs.matching import vectors_of
from udfs.search.similarity import similarity
from udfs.vision.contract import Contract

Array = np.ndarray

_STRANGERS = 50
"""Faces near a person among which the first stranger is looked for."""


@dataclass(frozen=True)
class SampleScore:
    """What a face was compared with: a sample of a person, or the face that was asked with; and how similar they are.

    row: of the table gallery; of a face that was asked with sample_id, uri, box, quality and embedding. in_force:
    whether the sample is searched. face: box and landmarks in its picture, where they need not be looked for. image_id:
    where it is a face of the lake.
    """

    row: dict[str, Any]
    similarity: float
    in_force: bool = True
    face: dict[str, Any] | None = None
    image_id: str = ""


@dataclass(frozen=True)
class FoundBy:
    """What an investigation says of a face that it has found. searched: how many faces (search) or samples (identify).

    strangers: how many faces of strangers are to be expected among them at this similarity or above; None if that is
    not known. noted: whether the investigation has noted that. decision: of `identify` on the face, at the time.
    """

    investigation: str
    kind: str
    asked: str
    rank: int
    searched: int
    strangers: float | None
    noted: bool
    decision: str | None


@dataclass(frozen=True)
class Explained:
    """decided: the row of face_decisions, or what one would say of a finding. face: that of faces. samples: of the
    person, the most similar first; or the one face that was asked with. carrying: the one that decided. others: the
    next nearest persons, each with their nearest sample, or what else the face was found for. stranger: the face of the
    lake that is most like the person, of those that nobody takes for them. found: by an investigation.
    """

    decided: Row
    face: Row
    samples: list[SampleScore]
    carrying: SampleScore
    others: list[Row]
    stranger: Finding | None
    found: FoundBy | None = None

    @property
    def of_person(self) -> bool:
        """Whether the face is compared with somebody's samples, and not with a face that was asked with."""
        return self.decided.person_id is not None

    @property
    def normalised_by(self) -> float:
        """What was subtracted from the similarity."""
        return float(self.decided.similarity - self.decided.score)

    def without_carrying(self) -> tuple[str, str | None, float | None]:
        """The decision, the nearest person and the score if the carrying sample had not been registered."""
        own = [each.similarity for each in self.samples if each is not self.carrying and each.in_force]
        nearest = [(row.similarity, row.person_id) for row in self.others]
        if own:
            nearest.append((max(own), str(self.decided.person_id)))
        if not nearest:
            return "unknown", None, None
        best, person = max(nearest, key=lambda each: each[0])
        score = best - self.normalised_by
        return decision_at(score, self.decided.threshold, self.decided.review_threshold), person, score


def decision_at(score: float, threshold: float, review_threshold: float) -> str:
    """match, review or unknown."""
    return "match" if score >= threshold else "review" if score >= review_threshold else "unknown"


def explained(context: Context, face_id: str, gallery_name: str | None) -> Explained:
    """Take the decision on a face apart, as the gallery is now.

    Raises:
        InputError: the face is not there, was compared with no gallery or several, or nobody is near it.
    """
    decided = _decision(context, face_id, gallery_name)
    face = context.tables.read("faces").where((F.col("face_id") == face_id) & _on(decided)).first()
    assert face is not None  # face_decisions joins it
    gallery = GallerySnapshot.open(context, decided.gallery_name)
    if gallery.contract_id != face.contract_id:
        raise InputError(
            f"face {face_id} is of contract {face.contract_id[:12]}, gallery {gallery.name!r} is now of"
            f" {gallery.contract_id[:12]}; embed the date with the present models and identify it again"
        )
    samples = scored(gallery.samples.where(F.col("person_id") == decided.person_id), face)
    if not samples:
        raise InputError(
            f"{decided.person_id} is in gallery {gallery.name!r} no longer; identify {decided.run_date} again"
        )
    return Explained(
        decided,
        face,
        samples,
        samples[0],
        _others(context, gallery, decided),
        nearest_stranger(context, decided, samples),
    )


def other_contract(face_id: str, contract_id: str, agreed: Contract) -> InputError:
    """That a face cannot be embedded once more with the settings."""
    return InputError(
        f"face {face_id} is of contract {contract_id[:12]}, the settings are {agreed.contract_id[:12]}; explain it with"
        " the settings that it was embedded with"
    )


def _decision(context: Context, face_id: str, gallery_name: str | None) -> Row:
    found = Names(context.spark, context.tables).rows("face_decisions").where(F.col("face_id") == face_id).collect()
    rows = {row.gallery_name: row for row in found}
    if not rows:
        raise InputError(f"no face {face_id!r} has been identified; take its id from face_decisions or sightings")
    if gallery_name is None and len(rows) > 1:
        raise InputError(
            f"face {face_id} was compared with several galleries; say --gallery-name"
            f" {' or '.join(map(quote, sorted(rows)))}"
        )
    if gallery_name is not None and gallery_name not in rows:
        raise InputError(
            f"face {face_id} was not compared with gallery {gallery_name!r}, but with {', '.join(sorted(rows))}"
        )
    row = rows[gallery_name or next(iter(rows))]
    if row.person_id is None:
        raise InputError(
            f"nobody in gallery {row.gallery_name!r} is anywhere near face {face_id}: there is nothing to explain"
        )
    return row


def _on(decided: Row) -> Any:
    return F.col("run_date") == F.lit(decided.run_date)


def scored(samples: DataFrame, face: Row) -> list[SampleScore]:
    """The most similar first; of equally similar ones the first by id."""
    rows = samples.orderBy("sample_id").toArrow()
    if not rows.num_rows:
        return []
    vectors = vectors_of(rows["embedding"])
    near = similarity(np.broadcast_to(np.array(face.embedding, np.float32), vectors.shape), vectors)
    order = np.lexsort((np.arange(len(near)), -near))
    values = rows.to_pylist()
    return [SampleScore(values[at], float(near[at])) for at in order.tolist()]


def _others(context: Context, gallery: GallerySnapshot, decided: Row) -> list[Row]:
    """The persons that `identify` kept beside the nearest one, with the photos that are nearest."""
    matches = context.tables.read_or_empty("matches").where(
        (F.col("face_id") == decided.face_id) & (F.col("gallery_name") == gallery.name) & _on(decided)
    )
    others = matches.where(F.col("person_id") != decided.person_id).select(
        "person_id", "sample_id", "rank", "similarity"
    )
    photos = context.tables.read("gallery").select("sample_id", "name", "uri", "box")
    return others.join(photos, "sample_id", "left").orderBy("rank").collect()


def nearest_stranger(context: Context, decided: Row, samples: list[SampleScore]) -> Finding | None:
    """The face of the lake that is most like the person, and that was not found to show them."""
    vectors = np.array([sample.row["embedding"] for sample in samples], np.float32)
    faces = tuple(AskedFace(decided.person_id, sample.row["uri"]) for sample in samples)
    asked = AskedFaces(decided.contract_id, faces, vectors, {})
    strangers: list[Near] = []
    among = _STRANGERS
    while not strangers:
        near = nearest_faces(context, decided.contract_id, vectors, among, SearchScope())
        found = ranked(near.near, asked, among)
        mine = _of_person(context, decided, [each.face_id for each in found])
        strangers = [each for each in found if each.face_id not in mine and each.face_id != decided.face_id]
        if len(found) < among:  # there are no more
            break
        among *= 4
    shown = described(context, strangers[:1], None)
    return shown[0] if shown else None


def _of_person(context: Context, decided: Row, faces: list[str]) -> set[str]:
    """Those of some faces whose nearest person is this one, with a decision that is more than unknown."""
    asked = context.spark.createDataFrame(pa.table({"face_id": faces}))
    rows = context.tables.read_or_empty("identifications").join(F.broadcast(asked), "face_id")
    same = (F.col("person_id") == decided.person_id) & F.col("decision").isin("match", "review")
    return {row.face_id for row in rows.where(same).select("face_id").collect()}
