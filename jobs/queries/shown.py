"""What the tables say of one person, image or face, section by section."""

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.faces import pictures
from jobs.faces.pictures import FaceInLake
from jobs.inputs import person_ids
from jobs.queries.values import plain_rows
from jobs.run.context import Context
from schemas.names import Names
from udfs import lake
from udfs.errors import InputError

MOST_ROWS = 10_000
"""Of a section: they are all in the memory of one process."""
_LATEST = 20
"""Sightings of a person that are shown."""


@dataclass(frozen=True)
class Section:
    """Rows of plain values under a title."""

    title: str
    columns: list[str]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Described:
    """sections: as they are printed. picture: a JPEG of the face or of the largest face, if there is one."""

    sections: list[Section]
    picture: bytes | None = None


def of_person(context: Context, name: str) -> Described:
    """Who a person is in which gallery, on which days they were seen, and where last.

    Raises:
        InputError: nobody of this id was ever registered.
    """
    names, person_id = Names(context.spark, context.tables), person_ids.normal("person", name)
    of_person = F.col("person_id") == person_id
    every = (
        names.rows("gallery").where(of_person).select("sample_id", "gallery_name", "uri", "enrolled_at", "withdrawn_at")
    )
    samples = _section("Samples", every.orderBy("gallery_name", "enrolled_at", "sample_id"))
    if not samples.rows:
        raise InputError(f"nobody called {person_id!r} was ever registered; gallery_now lists who is")
    now = names.rows("gallery_now").where(of_person).drop("contract_id").orderBy("gallery_name")
    days = names.rows("person_timeline").where(of_person).drop("person_id", "name").orderBy("run_date", "gallery_name")
    seen = names.rows("sightings").where(of_person).orderBy(F.desc("captured_at"), "face_id").limit(_LATEST)
    latest = seen.select("captured_at", "source", "similarity", "review_state", "uri", "face_id")
    return Described([_section("Registered", now), samples, _section("Days", days), _section("Seen last", latest)])


def of_image(context: Context, name: str) -> Described:
    """What an image is, what became of it, and the faces in it. name: its image_id, its URI, or its path.

    Raises:
        InputError: the tables do not know it.
    """
    names = Names(context.spark, context.tables)
    uri = lake.uri_of(name)
    image = names.rows("images").where((F.col("image_id") == name) | (F.col("uri") == uri))
    found = image.select("image_id", "run_date").collect()
    if not found:
        raise InputError(f"the tables know no image {name!r}; give an image_id, a URI or a path of the table images")
    here = F.col("image_id").isin([row.image_id for row in found])
    days = F.col("run_date").isin([row.run_date for row in found])
    outcomes = names.rows("image_outcomes").where(here & days).drop("run_id", "settings_id")
    faces = names.rows("faces").where(here & days).orderBy("image_id", "ordinal")
    decided = names.rows("face_decisions").where(here & days).orderBy("face_id", "gallery_name")
    return Described(
        [
            _section("Image", image.drop("run_id")),
            _section("Outcome", outcomes.drop("image_id")),
            _section("Faces", faces.select("ordinal", "face_id", "score", "box")),
            _section("Decisions", decided.select(*_DECISION)),
        ]
    )


_DECISION = ("face_id", "gallery_name", "decision", "person_id", "similarity", "score", "threshold", "review_state")


def of_face(context: Context, face_id: str) -> Described:
    """What is known of a face, and a picture of it.

    Raises:
        InputError: there is none of this id.
    """
    names, of_face = Names(context.spark, context.tables), F.col("face_id") == face_id
    face = names.rows("faces").where(of_face)
    row = face.first()
    if row is None:
        raise InputError(f"there is no face {face_id!r}; take its id from faces, sightings or unknown_faces")
    day = F.col("run_date") == F.lit(row.run_date)
    image = names.rows("images").where(day & (F.col("image_id") == row.image_id))
    decided = names.rows("face_decisions").where(of_face & day).orderBy("gallery_name")
    reviews = names.rows("reviews").where(of_face).orderBy("reviewed_at")
    cut = pictures.of_lake(context, [FaceInLake(row.face_id, row.image_id, row.run_date, row.box.asDict())])
    return Described(
        [
            _section("Face", face.drop("embedding", "landmarks", "run_id")),
            _section("Image", image.select("uri", "source", "case_id", "size")),
            _section("Decisions", decided.select(*_DECISION, "runner_up_person_id", "margin")),
            _section("Reviews", reviews.select("reviewed_at", "reviewed_by", "decision", "person_id", "reason")),
        ],
        cut.jpeg.get(face_id),
    )


def of_table(context: Context, name: str, limit: int) -> Described:
    """The first rows of a table or view.

    Raises:
        InputError: it does not exist yet.
    """
    rows = Names(context.spark, context.tables).rows(name)
    return Described([_section(name, rows.limit(limit))])


def _section(title: str, rows: DataFrame) -> Section:
    return Section(title, rows.columns, plain_rows(rows, MOST_ROWS))
