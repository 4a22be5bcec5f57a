"""What derives from what is to be erased: samples, images, faces, investigations, and the words that name them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.erasure.subject import Subject
from jobs.run.context import Context
from schemas.catalog import TABLES
from schemas.names import Names
from schemas.store import Tables
from schemas.table import Carries
from udfs import lake
from udfs.arrow import spark_schema
from udfs.ids import image_id
from udfs.keyed import Keyed
from udfs.keyed_rows import HASHED_URI, hash_uris
from udfs.words import Words


@dataclass(frozen=True)
class Closure:
    """Ids and URIs, as this process has them.

    person: the person's id, where one is erased. everywhere: whether the id is nowhere but in what is erased, so that
    it is looked for in tables that name no gallery as well. images, uris: of the lake; their faces. photos, photo_uris:
    of the person's photos, which may also be images of the lake that stay. names: the person's, for people to read.
    is_known: whether the tables say anything of an image that was named.
    """

    subject: Subject
    person: str | None = None
    everywhere: bool = True
    names: frozenset[str] = frozenset()
    samples: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    uris: frozenset[str] = frozenset()
    faces: frozenset[str] = frozenset()
    photos: frozenset[str] = frozenset()
    photo_uris: frozenset[str] = frozenset()
    investigations: frozenset[str] = frozenset()
    is_known: bool = True

    @cached_property
    def words(self) -> Words:
        """What free text must not say any more."""
        phrases = [*self.names]
        if self.person is not None and self.everywhere:
            phrases.append(self.person)
        uris = self.uris | (self.photo_uris if self.subject.kind == "person" else frozenset())
        if len(uris) <= _FEW:
            phrases += [path for uri in uris if (path := _path(uri)) is not None]
        return Words.of(phrases, [*self.samples, *self.images, *self.faces, *uris])

    def values(self, kind: Carries | None) -> frozenset[str]:
        """What columns that carry something must not hold any more; nothing where that says nothing of it."""
        if kind == "person":
            return frozenset() if self.person is None else frozenset([self.person])
        of_kind = {"sample": self.samples, "image": self.images, "face": self.faces, "uri": self.uris}
        return of_kind.get(kind or "", frozenset())

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of it."""
        some = self.samples or self.images or self.faces or self.uris or self.photos or self.investigations
        return not (some and self.is_known)


_FEW = 1000
"""URIs up to which local paths are looked for in free text as well, as people have typed them."""


def closure_of(
    context: Context, subject: Subject, keyed: Keyed | None = None, erasure_id: str | None = None
) -> Closure:
    """All that derives from what is asked, as the tables have it now.

    keyed, erasure_id: of an erasure that is carried on: what its beginning noted by hashes is found by these, as what
    led to it may be gone.
    """
    known = _Known(context)
    images = _images(context, subject)
    if subject.with_images:
        images = images.unionByName(_of_person(context, subject))
    if keyed is not None and erasure_id is not None and context.tables.exists("images"):
        images = images.unionByName(_noted(context, keyed, erasure_id))
    image_ids, uris = known.two(images)
    if subject.kind == "image":
        uris |= {subject.value}
    for table, uri, image in _NAMED_BY_URI:
        image_ids |= known.by(table, uri, uris, image)
    asked_with = known.by("findings", "asked_uri", uris, "investigation")
    of_image = bool(image_ids or asked_with or known.by("gallery", "uri", uris, "sample_id"))
    if subject.kind == "image":
        image_ids |= _as_it_is_now(subject.value)
    faces = frozenset[str]()
    for table in ("faces", "matches", "identifications", "reviews", "findings", "cluster_members"):
        faces |= known.by(table, "image_id", image_ids, "face_id")
    faces |= known.staged_faces(image_ids)
    samples = known.by("enrollments", "uri", uris, "sample_id") | known.by("gallery", "uri", uris, "sample_id")
    samples |= known.by("seen_photos", "photo_id", image_ids, "sample_id")
    is_known = subject.kind != "image" or of_image
    found = Closure(subject, samples=samples, images=image_ids, uris=uris, faces=faces, is_known=is_known)
    if subject.kind == "person":
        found = _with_person(context, found, known)
    return _with_investigations(context, found)


_NAMED_BY_URI = (
    ("enrollments", "uri", "photo_id"),
    ("verifications", "left_uri", "left_image_id"),
    ("verifications", "right_uri", "right_image_id"),
)
_OF_SAMPLES = ("gallery", "enrollments", "seen_photos", "set_asides", "searched_samples")


class _Known:
    """What the tables know, asked with values of this process."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tables = context.tables

    def by(self, table: str, column: str, values: frozenset[str], wanted: str) -> frozenset[str]:
        """The values of a column in the rows that have one of some values in another."""
        if not values or not self._tables.exists(table):
            return frozenset()
        rows = self._tables.read(table)
        asked = frame_of(self._context, column, values)
        found = rows.join(F.broadcast(asked), column, "left_semi").select(wanted).distinct().toArrow()
        return frozenset(found[wanted].drop_null().to_pylist())

    def two(self, rows: DataFrame) -> tuple[frozenset[str], frozenset[str]]:
        """image_id and uri of rows."""
        found = rows.select("image_id", "uri").distinct().toArrow()
        return frozenset(found["image_id"].to_pylist()), frozenset(found["uri"].to_pylist())

    def staged_faces(self, images: frozenset[str]) -> frozenset[str]:
        """Of images that are computed and not yet committed."""
        if not images or not self._tables.exists("staged"):
            return frozenset()
        rows = self._tables.read("staged").join(frame_of(self._context, "image_id", images), "image_id", "left_semi")
        return frozenset(row.face_id for row in rows.select(F.explode("faces.face_id").alias("face_id")).collect())


def frame_of(context: Context, column: str, values: Iterable[str]) -> DataFrame:
    """Values as a frame of one column: never as text of a query, which logs would hold."""
    return context.spark.createDataFrame(pa.table({column: pa.array(sorted(values), pa.string())}))


def of_gallery(table: str, gallery_name: str | None) -> Column:
    """The rows of one gallery, where one is meant and the table says which."""
    named = "gallery_name" in TABLES[table].names
    return F.col("gallery_name") == gallery_name if gallery_name is not None and named else F.lit(True)


def _images(context: Context, subject: Subject) -> DataFrame:
    rows = context.tables.read_or_empty("images").select("image_id", "uri", "source", "run_date")
    if subject.kind == "person":
        return rows.limit(0)
    if subject.kind == "before":
        return rows.where(F.col("run_date") < F.to_date(F.lit(subject.value)))
    return rows.join(frame_of(context, "uri" if subject.kind == "image" else "source", [subject.value]),
                     "uri" if subject.kind == "image" else "source", "left_semi")  # fmt: skip


def _of_person(context: Context, subject: Subject) -> DataFrame:
    """The images in which the person was found: decided a match, or confirmed by somebody, and not rejected. Of each
    reviewer the last word counts."""
    tables = context.tables
    asked = frame_of(context, "person_id", [subject.value])

    def theirs(table: str) -> DataFrame:
        rows = tables.read_or_empty(table).where(of_gallery(table, subject.gallery_name))
        return rows.join(F.broadcast(asked), "person_id", "left_semi")

    reviewed = Names(context.spark, tables).rows("reviewed").where(of_gallery("reviews", subject.gallery_name))
    reviewed = reviewed.join(F.broadcast(asked), "person_id", "left_semi")
    of_face = ["gallery_name", "face_id"]
    rejected = reviewed.where("state = 'rejected'").select(*of_face)
    matched = theirs("identifications").where("decision = 'match'").join(rejected, of_face, "left_anti")
    some_confirm = reviewed.where("state != 'rejected' AND size(confirmed_by) > 0").select(*of_face)
    confirmed = theirs("reviews").join(some_confirm, of_face, "left_semi")
    shown = matched.select("image_id").unionByName(confirmed.select("image_id")).distinct()
    images = tables.read_or_empty("images").select("image_id", "uri", "source", "run_date")
    return images.join(shown, "image_id", "left_semi")


def _noted(context: Context, keyed: Keyed, erasure_id: str) -> DataFrame:
    """The images that an erasure which has begun before has noted."""
    images = context.tables.read("images").select("image_id", "uri", "source", "run_date")
    noted = context.tables.read("erased").where((F.col("erasure_id") == erasure_id) & (F.col("kind") == "lake uri"))
    hashed = images.select("uri").distinct().mapInArrow(hash_uris(keyed), spark_schema(HASHED_URI))
    return images.join(hashed.join(noted.select("hash"), "hash", "left_semi").select("uri"), "uri", "left_semi")


def _as_it_is_now(uri: str) -> frozenset[str]:
    """The id of the file as it stands in the lake, if it is still there: a killed run may have kept nothing else."""
    file = lake.find(uri)
    return frozenset([image_id(file.uri, file.size, file.modified_us)])


def _with_person(context: Context, found: Closure, known: _Known) -> Closure:
    tables, subject = context.tables, found.subject
    asked = frame_of(context, "person_id", [subject.value])
    samples, photos, uris, names = set(found.samples), set[str](), set[str](), set[str]()
    others: set[str] = set()
    for table in _OF_SAMPLES:
        if not tables.exists(table):
            continue
        of_id = tables.read(table).join(F.broadcast(asked), "person_id", "left_semi")
        columns = ["sample_id", *(c for c in ("gallery_name", "photo_id", "uri", "name") if c in TABLES[table].names)]
        for row in of_id.select(*columns).distinct().collect():
            if subject.gallery_name is not None and row.gallery_name != subject.gallery_name:
                others.add(row.gallery_name)
                continue
            samples.add(row.sample_id)
            photos |= {row.photo_id} if "photo_id" in columns else set()
            uris |= {row.uri} if "uri" in columns else set()
            names |= {row.name} if "name" in columns and row.name else set()
    shared = _names_of_others(tables, subject, names)
    return replace(
        found,
        person=subject.value,
        everywhere=not others,
        names=frozenset(names - {subject.value} - shared),
        samples=frozenset(samples),
        photos=frozenset(photos),
        photo_uris=frozenset(uris),
    )


def _names_of_others(tables: Tables, subject: Subject, names: set[str]) -> set[str]:
    """Names that somebody else has as well: these do not tell who it was."""
    if not names or not tables.exists("gallery"):
        return set()
    rows: list[Any] = tables.read("gallery").where("name IS NOT NULL").select("person_id", "name").distinct().collect()
    return {row.name for row in rows if row.person_id != subject.value and row.name in names}


def _with_investigations(context: Context, found: Closure) -> Closure:
    """The investigations that asked for the person, or with one of the images or faces."""
    tables = context.tables
    asked = set[str]()
    if tables.exists("investigations"):
        for row in tables.read("investigations").select("investigation", "question").collect():
            said = [row.investigation, *(row.question or {}).values()]
            if any(found.words.in_text(text) for text in said):
                asked.add(row.investigation)
    if tables.exists("findings"):
        rows = tables.read("findings").select("investigation", "asked", "asked_uri", "gallery_name").distinct()
        asked_with = frame_of(context, "asked_uri", found.uris | found.photo_uris)
        with_uri = rows.join(F.broadcast(asked_with), "asked_uri", "left_semi")
        of_search = rows.where("gallery_name IS NULL")
        people = [found.person] if found.person is not None and found.everywhere else []
        named = frame_of(context, "asked", [*people, *found.faces])
        by_name = of_search.join(F.broadcast(named), "asked", "left_semi")
        for row in with_uri.select("investigation").union(by_name.select("investigation")).distinct().collect():
            asked.add(row.investigation)
    return replace(found, investigations=frozenset(asked))


def _path(uri: str) -> str | None:
    """A file of this machine as people type it."""
    path = lake.local_path(uri)
    return None if path is None else path.decode("utf-8", "replace")
