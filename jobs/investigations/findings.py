"""What was found: faces of the lake, with all that is known of each and of the image it is in."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.investigations.asked import AskedFaces
from jobs.run.context import Context
from schemas.catalog import DECISIONS
from schemas.literals import on_dates
from schemas.names import Names
from udfs.listed_ids import listed
from udfs.records import edges

Array = np.ndarray


@dataclass(frozen=True)
class Finding:
    """A face of the lake that is like what was asked.

    asked: the question. rank: 1 is the most similar. strangers: how many faces of strangers are to be expected among
    those searched, at this similarity or above; None if that is not known. person_id: who it was identified as, and
    people have not rejected; several galleries may name several. decision: of `identify`, the most certain of several
    galleries; None if the face was not identified. others: who else is in the image. box: left, top, right, bottom.
    by: which of the faces that were asked with is nearest, by number.
    """

    asked: str
    rank: int
    similarity: float
    strangers: float | None
    person_id: str | None
    decision: str | None
    run_date: date
    captured_at: datetime | None
    source: str | None
    case_id: str | None
    uri: str
    others: list[str]
    faces_in_image: int
    face_id: str
    image_id: str
    contract_id: str
    box: list[float]
    by: int


@dataclass(frozen=True)
class Near:
    """A face near a question. by: which of the faces that were asked with is nearest, by number."""

    asked: str
    rank: int
    similarity: float
    face_id: str
    run_date: date
    by: int


def ranked(near: pa.Table, asked: AskedFaces, k: int) -> list[Near]:
    """The k faces that are most like each question: of a question of several faces, to any of them.

    near: query, face_id, similarity, run_date; the k nearest of each face that was asked with.
    """
    found: dict[str, dict[str, Near]] = {face.name: {} for face in asked.faces}
    for row in near.to_pylist():
        name = asked.faces[row["query"]].name
        candidate = Near(name, 0, row["similarity"], row["face_id"], row["run_date"], row["query"])
        before = found[name].get(candidate.face_id)
        if before is None or candidate.similarity > before.similarity:
            found[name][candidate.face_id] = candidate
    return [each for of in found.values() for each in _first(k, of.values())]


def _first(k: int, near: Iterable[Near]) -> list[Near]:
    nearest = sorted(near, key=lambda each: (-each.similarity, each.face_id))[:k]
    return [replace(each, rank=rank) for rank, each in enumerate(nearest, 1)]


def described(context: Context, near: list[Near], strangers: Array | None) -> list[Finding]:
    """The same with what the tables say; those of faces that have gone meanwhile are left out.

    strangers: float64 (near,), NaN where they are not known.
    """
    if not near:
        return []
    names = Names(context.spark, context.tables)
    found = context.spark.createDataFrame(pa.table({"face_id": sorted({each.face_id for each in near})}))
    days = on_dates(sorted({each.run_date for each in near}))
    faces = context.tables.read("faces").where(days).join(F.broadcast(found), "face_id")
    images = names.rows("images").where(days).select("image_id", "run_date", "uri", "source", "case_id")
    when = names.rows("image_outcomes").where(days)
    when = when.select("image_id", "contract_id", "settings_id", "captured_at", "face_count")
    rows = (
        faces.join(images, ["image_id", "run_date"])
        .join(when, ["image_id", "contract_id", "settings_id"], "left")
        .select("face_id", "image_id", "contract_id", "box", "uri", "source", "case_id", "captured_at", "face_count")
        .collect()
    )
    of_face = {row.face_id: row for row in rows}
    identified = _Identified.of(context, sorted({row.image_id for row in rows}), days)
    return [
        Finding(
            each.asked,
            each.rank,
            each.similarity,
            None if strangers is None or np.isnan(strangers[at]) else float(strangers[at]),
            identified.persons_on(each.face_id),
            identified.decisions.get(each.face_id),
            each.run_date,
            row.captured_at,
            row.source,
            row.case_id,
            row.uri,
            identified.others(row.image_id, each.face_id),
            row.face_count or 1,
            each.face_id,
            row.image_id,
            row.contract_id,
            edges(row.box.asDict()),
            each.by,
        )
        for at, each in enumerate(near)
        if (row := of_face.get(each.face_id)) is not None
    ]


@dataclass(frozen=True)
class _Identified:
    """persons: who each face shows. decisions: on each face. shown: of images, faces and whom they show."""

    persons: dict[str, set[str]]
    decisions: dict[str, str]
    shown: dict[str, list[tuple[str, str]]]

    @classmethod
    def of(cls, context: Context, images: list[str], days: Column) -> "_Identified":
        """Of all faces in images of some days."""
        names = Names(context.spark, context.tables)
        asked = F.broadcast(context.spark.createDataFrame(pa.table({"image_id": images})))
        found = cls({}, {}, {})
        sightings = names.rows("sightings").where(days).join(asked, "image_id")
        for row in sightings.select("image_id", "face_id", "person_id").distinct().collect():
            found.persons.setdefault(row.face_id, set()).add(row.person_id)
            found.shown.setdefault(row.image_id, []).append((row.face_id, row.person_id))
        decided = names.rows("identifications").where(days).join(asked, "image_id").select("face_id", "decision")
        for row in decided.collect():
            before = found.decisions.get(row.face_id, row.decision)
            found.decisions[row.face_id] = min(before, row.decision, key=DECISIONS.index)
        return found

    def persons_on(self, face_id: str) -> str | None:
        """Who a face shows; of several galleries all."""
        return listed(self.persons.get(face_id, ())) or None

    def others(self, image_id: str, face_id: str) -> list[str]:
        """Who else is in the image of a face."""
        return sorted({person for face, person in self.shown.get(image_id, ()) if face != face_id})
