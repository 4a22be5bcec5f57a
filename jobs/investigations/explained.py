"""A decision on a face, taken apart: which samples speak for it, who else it might be, and what there would be without
the sample that carried it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.investigations.asked import AskedFace, AskedFaces
from jobs.investigations.findings import Finding, described, ranked
from jobs.matching.nearest_faces import SearchScope, nearest_faces
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from schemas.names import Names
from udfs.errors import InputError
from udfs.matching import vectors_of
from udfs.search.similarity import similarity

Array = np.ndarray

_STRANGERS = 50
"""Faces near a person among which the first stranger is looked for."""


@dataclass(frozen=True)
class SampleScore:
    """A sample in force of the person, and how similar it is to the face."""

    row: dict[str, Any]
    similarity: float


@dataclass(frozen=True)
class Explained:
    """decided: the row of face_decisions. face: that of faces. samples: of the person, the most similar first. others:
    the next nearest persons, each with their nearest sample. stranger: the face of the lake that is most like the
    person, of those that nobody takes for them.
    """

    decided: Row
    face: Row
    gallery: GallerySnapshot
    samples: list[SampleScore]
    others: list[Row]
    stranger: Finding | None

    @property
    def carrying(self) -> SampleScore:
        """The sample that decided."""
        return self.samples[0]

    @property
    def normalised_by(self) -> float:
        """What was subtracted from the similarity."""
        return float(self.decided.similarity - self.decided.score)

    def without_carrying(self) -> tuple[str, str | None, float | None]:
        """The decision, the nearest person and the score if the carrying sample had not been registered."""
        own = [(self.samples[1].similarity, str(self.decided.person_id))] if len(self.samples) > 1 else []
        nearest = [*own, *[(row.similarity, row.person_id) for row in self.others]]
        if not nearest:
            return "unknown", None, None
        best, person = max(nearest, key=lambda each: each[0])
        score = best - self.normalised_by
        decision = (
            "match"
            if score >= self.decided.threshold
            else "review"
            if score >= self.decided.review_threshold
            else "unknown"
        )
        return decision, person, score


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
    samples = _samples(gallery.samples.where(F.col("person_id") == decided.person_id), face)
    if not samples:
        raise InputError(
            f"{decided.person_id} is in gallery {gallery.name!r} no longer; identify {decided.run_date} again"
        )
    return Explained(
        decided,
        face,
        gallery,
        samples,
        _others(context, gallery, decided),
        _stranger(context, gallery, decided, samples),
    )


def _decision(context: Context, face_id: str, gallery_name: str | None) -> Row:
    found = Names(context.spark, context.tables).rows("face_decisions").where(F.col("face_id") == face_id).collect()
    rows = {row.gallery_name: row for row in found}
    if not rows:
        raise InputError(f"no face {face_id!r} has been identified; take its id from face_decisions or sightings")
    if gallery_name is None and len(rows) > 1:
        raise InputError(
            f"face {face_id} was compared with several galleries; say --gallery-name {' or '.join(sorted(rows))}"
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


def _samples(samples: DataFrame, face: Row) -> list[SampleScore]:
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


def _stranger(context: Context, gallery: GallerySnapshot, decided: Row, samples: list[SampleScore]) -> Finding | None:
    """The face of the lake that is most like the person, and that was not found to show them."""
    vectors = np.array([sample.row["embedding"] for sample in samples], np.float32)
    faces = tuple(AskedFace(decided.person_id, sample.row["uri"]) for sample in samples)
    asked = AskedFaces(gallery.contract_id, faces, vectors, {})
    near = nearest_faces(context, gallery.contract_id, vectors, _STRANGERS, SearchScope())
    found = ranked(near.near, asked, _STRANGERS)
    mine = _of_person(context, decided, [each.face_id for each in found])
    strangers = [each for each in found if each.face_id not in mine and each.face_id != decided.face_id]
    shown = described(context, strangers[:1], None)
    return shown[0] if shown else None


def _of_person(context: Context, decided: Row, faces: list[str]) -> set[str]:
    """Those of some faces whose nearest person is this one, with a decision that is more than unknown."""
    asked = context.spark.createDataFrame(pa.table({"face_id": faces}))
    rows = context.tables.read("identifications").join(F.broadcast(asked), "face_id")
    same = (F.col("person_id") == decided.person_id) & F.col("decision").isin("match", "review")
    return {row.face_id for row in rows.where(same).select("face_id").collect()}
