"""The second step of an enrolment: what is seen in the photos, slice by slice, so that a killed run goes on."""

import time
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.faces.compute import crashed_outcome, faces_of
from jobs.faces.crashes import by_halves
from jobs.faces.known import known_outcomes
from jobs.registry.register import Register
from jobs.run import ledger
from jobs.run.context import Context
from udfs import inventory
from udfs.arrow import spark_schema
from udfs.enrolment import FACE_OF_PERSON, PHOTO, SEEN, ChooseFaces, PhotoPolicy
from udfs.records import OUTCOME
from udfs.vision.contract import Contract, settings_id
from udfs.vision.speed import settled

_IMAGE = pa.schema([*inventory.IMAGE, ("content_table", pa.string())])
_FOUND = pa.schema([OUTCOME.field(name) for name in ("image_id", *PHOTO.names[2:])])
_TOLD = ("sample_id", "content_sha256", "reason", "detail")


@dataclass(frozen=True)
class Faces:
    """The faces of photos that were seen, as `udfs.enrolment.SEEN` has them, by person_id and photo_id: in this
    process, or in a table.
    """

    spark: SparkSession
    rows: pa.Table | DataFrame

    def beside(self, photos: pa.Table) -> DataFrame:
        """Some of the photos, given by person_id and photo_id, with what is known of their faces (FACE_OF_PERSON)."""
        if isinstance(self.rows, DataFrame):
            faces = self.rows.select("person_id", "photo_id", *FACE_OF_PERSON)
            return self.spark.createDataFrame(photos).join(faces, ["person_id", "photo_id"])
        return self.spark.createDataFrame(self.here(photos))

    def here(self, photos: pa.Table) -> pa.Table:
        """The same, in this process."""
        assert isinstance(self.rows, pa.Table)  # there are few
        faces = self.rows.take(pc.index_in(_key(photos), value_set=_key(self.rows).combine_chunks()))
        for name in FACE_OF_PERSON:
            photos = photos.append_column(SEEN.field(name), faces[name])
        return photos


@dataclass(frozen=True)
class SeenPhotos:
    """What was seen in the new photos of a listing.

    photos: person_id, uri, photo_id, sample_id, content_sha256, reason, detail of each, in the order of the listing.
    few: whether they were seen in one slice, whose faces this process has.
    """

    photos: pa.Table
    faces: Faces
    few: bool


@dataclass(frozen=True)
class PhotoLooker:
    """Looks at photos of persons, each under the models and limits of the settings, and chooses the person's face."""

    context: Context
    agreed: Contract
    choose: ChooseFaces
    run: ledger.Run

    def see(self, photos: pa.Table, commit_every: int) -> SeenPhotos:
        """What is seen in each photo: in one go, or committed slice by slice where there are more than one.

        photos: person_id, uri, size, modified_us, regular, photo_id of each.
        """
        if photos.num_rows <= commit_every:
            seen = self._look(photos, ask_tables=True) if photos.num_rows else SEEN.empty_table()
            return SeenPhotos(_beside(photos, seen), Faces(self.context.spark, seen), few=True)
        rest = self._uncommitted(photos)
        if rest.num_rows and self.context.tables.exists("image_outcomes"):
            self._take_from_tables(rest)
            unknown = self._uncommitted(rest)
            self.run.count("looked_up", rest.num_rows - unknown.num_rows)
            rest = unknown
        taken = photos.num_rows - rest.num_rows
        if taken:
            self.context.log.info(f"enroll: {taken:,} of {photos.num_rows:,} photos need not be opened")
        for start in range(0, rest.num_rows, commit_every):
            began = time.monotonic()
            part = rest.slice(start, commit_every)
            self._commit(self.context.spark.createDataFrame(self._look(part, ask_tables=False)))
            done, rate = taken + start + part.num_rows, part.num_rows / (time.monotonic() - began)
            self.context.log.info(f"enroll: {done:,} of {photos.num_rows:,} photos seen, {rate:.1f} photos/s")
        return self._all_of(photos)

    def _take_from_tables(self, photos: pa.Table) -> None:
        """Commit what the tables of the lake say of photos, as one slice: nothing is opened for it."""
        spark = self.context.spark
        asked = spark.createDataFrame(pa.table({"image_id": pc.unique(photos["photo_id"])}))
        found = known_outcomes(self.context, asked, self.agreed).withColumnRenamed("image_id", "photo_id")
        listed = spark.createDataFrame(photos.select(["person_id", "photo_id"]))
        known = listed.join(found, "photo_id").select(*PHOTO.names)
        self._commit(known.mapInArrow(self.choose, spark_schema(SEEN)))

    def _look(self, photos: pa.Table, *, ask_tables: bool) -> pa.Table:
        """What is seen in each of some photos (SEEN), in their order. ask_tables: those that the tables know are not
        opened."""
        images = _images(photos)
        found = [_FOUND.empty_table()]
        if ask_tables and self.context.tables.exists("image_outcomes"):
            asked = self.context.spark.createDataFrame(images.select(["image_id"]))
            found.append(_found(known_outcomes(self.context, asked, self.agreed)))
            self.run.count("looked_up", found[-1].num_rows)
            images = images.filter(pc.invert(pc.is_in(images["image_id"], found[-1]["image_id"].combine_chunks())))
        if images.num_rows:
            self.run.count("images", images.num_rows)
            found += by_halves(images, self._compute, self._crashed)
        outcomes = pa.concat_tables(found)
        of_photo = pc.index_in(photos["photo_id"], value_set=outcomes["image_id"].combine_chunks())
        rows = photos.select(["person_id", "photo_id"])
        for name in PHOTO.names[2:]:
            rows = rows.append_column(PHOTO.field(name), outcomes[name].take(of_photo))
        return pa.Table.from_batches(self.choose(iter(rows.to_batches())), SEEN)

    def _compute(self, images: pa.Table) -> pa.Table:
        spec = settled(self.context.settings.spec())
        return _found(faces_of(self.context, images, spec, self.agreed, settings_id(spec)))

    def _crashed(self, image: pa.Table) -> pa.Table:
        row = crashed_outcome(image["image_id"][0].as_py())
        return pa.Table.from_pylist([row], OUTCOME).select(_FOUND.names).cast(_FOUND)

    def _commit(self, seen: DataFrame) -> None:
        self.context.tables.append(
            "seen_photos",
            seen.withColumns(
                {
                    "gallery_name": F.lit(self.choose.gallery_name),
                    "contract_id": F.lit(self.agreed.contract_id),
                    "settings_id": F.lit(settings_id(self.context.settings.spec())),
                    "policy_id": F.lit(self.choose.policy.policy_id),
                    "run_id": F.lit(self.run.run_id),
                }
            ),
        )

    def _rows(self) -> DataFrame:
        mine: Column = (
            (F.col("gallery_name") == self.choose.gallery_name)
            & (F.col("contract_id") == self.agreed.contract_id)
            & (F.col("settings_id") == settings_id(self.context.settings.spec()))
            & (F.col("policy_id") == self.choose.policy.policy_id)
        )
        return self.context.tables.read("seen_photos").where(mine).select(*SEEN.names)

    def _uncommitted(self, photos: pa.Table) -> pa.Table:
        """Those of some photos that this run, or one that was killed, has not seen and committed."""
        if not self.context.tables.exists("seen_photos"):
            return photos
        committed = _key(self._rows().select("person_id", "photo_id").toArrow())
        return photos.filter(pc.invert(pc.is_in(_key(photos), value_set=committed.combine_chunks())))

    def _all_of(self, photos: pa.Table) -> SeenPhotos:
        rows = self._rows()
        told = rows.select("person_id", "photo_id", *_TOLD).toArrow()
        of_photo = pc.index_in(_key(photos), value_set=_key(told).combine_chunks())
        if of_photo.null_count:
            raise RuntimeError(
                f"{of_photo.null_count:,} photos are no longer in the table seen_photos: another enrolment of gallery"
                f" {self.choose.gallery_name!r} has ended meanwhile; run this one again"
            )
        if len(pc.unique(_key(told))) < told.num_rows:
            rows = rows.dropDuplicates(["person_id", "photo_id"])  # two runs at once, which have seen the same
        return SeenPhotos(_beside(photos, told.take(of_photo)), Faces(self.context.spark, rows), few=False)


def look_for(
    context: Context, register: Register, agreed: Contract, policy: PhotoPolicy, run: ledger.Run
) -> PhotoLooker:
    """Whoever looks at the photos of a gallery's persons."""
    return PhotoLooker(context, agreed, ChooseFaces(policy, register.gallery_name, register.contract_id), run)


def forget(context: Context, gallery_name: str) -> None:
    """Leave nothing of what was seen in photos of a gallery: all of it has been judged."""
    if not context.tables.exists("seen_photos"):
        return
    here = F.col("gallery_name") == gallery_name
    if not context.tables.read("seen_photos").where(here).isEmpty():
        context.tables.delete_where("seen_photos", here)


def _beside(photos: pa.Table, told: pa.Table) -> pa.Table:
    photos = photos.select(["person_id", "uri", "photo_id"])
    for name in _TOLD:
        photos = photos.append_column(name, told[name])
    return photos


def _key(photos: pa.Table) -> pa.ChunkedArray:
    """The version of the photo, and the person: what a decision is about."""
    return pc.binary_join_element_wise(photos["photo_id"], photos["person_id"], "/")


def _images(photos: pa.Table) -> pa.Table:
    """What `faces_of` takes: one row an image, which may be listed for several persons."""
    ids = photos["photo_id"].combine_chunks()
    once = photos.take(pc.index_in(pc.unique(ids), value_set=ids))
    columns = {**{name: once[name] for name in inventory.FILE.names}, "image_id": once["photo_id"]}
    columns["content_table"] = pa.nulls(once.num_rows, pa.string())
    return pa.table([columns[name] for name in _IMAGE.names], schema=_IMAGE)


def _found(outcomes: DataFrame) -> pa.Table:
    return outcomes.select(*_FOUND.names).toArrow().cast(_FOUND)
