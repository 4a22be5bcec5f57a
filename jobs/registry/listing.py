"""The first step of an enrolment: the photos that are listed, with their files, and what stands decided on them."""

import math
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F

from jobs.inputs.manifest import People
from jobs.registry.leaving import place_key
from jobs.registry.register import Register
from jobs.registry.reopening import Leaves, reopened
from jobs.run.context import Context
from udfs import inventory
from udfs.arrow import spark_schema
from udfs.enrolment import PhotoPolicy
from udfs.errors import InputError

_PHOTO = pa.schema(
    [
        ("person_id", pa.string()),
        ("uri", pa.string()),
        ("name", pa.string()),
        ("labels", pa.list_(pa.string())),
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
    ]
)
_OF_FILE = ("size", "modified_us", "regular", "photo_id")
_OF_DECISION = ("resembles", "policy_id", "run_id")
DESCRIBED = ("uri", "name", "labels", "valid_from", "valid_to")
"""What the list says of a sample."""


@dataclass(frozen=True)
class Listing:
    """The photos of a manifest. Kept by the driver, some 300 bytes a photo: what is listed must not change as photos
    are seen.

    photos: person_id, uri, name, labels, valid_from, valid_to; size, modified_us, regular, photo_id of the file; and
    where there is a final decision on this version of the photo for this person, sample_id and accepted. By person and
    URI. reopened: sample_id of those whose decision stands no longer: they were set aside as they resemble a person who
    has no sample any more, or loses one now. other_rules: how many photos have a decision that was made under other
    rules for photos. unlisted: ids of the persons whose folders could not be listed: photos that are not listed here
    may still be there.
    """

    photos: pa.Table
    reopened: pa.Array
    other_rules: int = 0
    unlisted: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))

    def new(self, reconsider: bool) -> pa.Table:
        """The photos that are to be looked at: those without a final decision, or all."""
        return self.photos if reconsider else self.photos.filter(pc.is_null(self.photos["sample_id"]))


def list_photos(
    context: Context, register: Register, people: People, sync: bool = False, policy: PhotoPolicy | None = None
) -> Listing:
    """Each photo with its file as it is now, where executors look, and with what stands decided. sync: whether samples
    are withdrawn that are no longer listed. policy: the rules for photos of this enrolment, if they matter.
    """
    photos, unlisted = people.photos, pa.array(people.unlisted, pa.string())
    said = pa.table([[getattr(photo, name) for photo in photos] for name in _PHOTO.names], schema=_PHOTO)
    places = pa.array(np.arange(len(photos), dtype=np.int32))
    asked = context.spark.createDataFrame(said.select(["person_id", "uri"]).add_column(0, "place", places))
    tasks = max(1, min(len(photos), context.spark.sparkContext.defaultParallelism))
    located = asked.repartition(tasks).mapInArrow(inventory.stat_listed, spark_schema(inventory.LISTED))
    decided = register.final
    if decided is None:
        unknown = {"sample_id": "string", "accepted": "boolean", **dict.fromkeys(_OF_DECISION, "string")}
        known = located.withColumns({name: F.lit(None).cast(kind) for name, kind in unknown.items()})
    else:
        standing = decided.select(
            "person_id",
            "photo_id",
            "sample_id",
            (F.col("decision") == "accepted").alias("accepted"),
            F.when(F.col("decision") == "review", F.col("other_person_id")).alias("resembles"),
            "policy_id",
            "run_id",
        )
        known = located.join(standing, ["person_id", "photo_id"], "left")
    found = known.select("place", *_OF_FILE, "sample_id", "accepted", *_OF_DECISION)
    listed = found.toArrow().sort_by("place")
    places = said.select(["person_id", "uri"]).append_column("sample_id", listed["sample_id"])
    again = reopened(context, register, listed, _may_leave(places, sync, unlisted))
    gone = listed["sample_id"].filter(again).combine_chunks()
    for name in (*_OF_FILE, "sample_id", "accepted"):
        column = listed[name]
        if name in ("sample_id", "accepted"):
            column = pc.if_else(again, pa.scalar(None, column.type), column)
        said = said.append_column(name, column)
    others = pc.sum(pc.not_equal(listed["policy_id"], policy.policy_id)).as_py() if policy is not None else 0
    return Listing(said, gone, others or 0, unlisted)


def _may_leave(listed: pa.Table, sync: bool, unlisted: pa.Array) -> Leaves:
    """Which samples may leave, as far as the list tells: those in whose place a new photo stands, and under `sync`
    those that are not listed, but of the persons whose folders could not be listed."""
    new = place_key(listed.filter(pc.is_null(listed["sample_id"])))

    def leaves(samples: pa.Table) -> pa.Array:
        replaced = pc.is_in(place_key(samples), value_set=new.combine_chunks())
        if not sync:
            return replaced
        is_listed = pc.is_in(samples["sample_id"], value_set=listed["sample_id"].combine_chunks())
        stays = pc.or_(is_listed, pc.is_in(samples["person_id"], value_set=unlisted))
        return pc.or_(replaced, pc.invert(stays))

    return leaves


def refuse_certain_withdrawals(
    context: Context, register: Register, listing: Listing, reconsider: bool, max_withdraw: float
) -> int:
    """Refuse before anything is computed, where more samples than allowed will be withdrawn whatever is seen.

    A sample that is not listed may still stay: if a new photo of its person turns out to have the same content, which
    saves one sample a photo; if the photo at its place is new, and cannot be read; or if a folder of its person could
    not be listed.

    Returns: how many samples are in force.

    Raises:
        InputError: more than the allowed share must leave.
    """
    if register.in_force is None:
        return 0
    spark = context.spark
    new, listed = listing.new(reconsider), listing.photos
    # Under reconsider a photo that was decided is looked at again, and may be found to have changed.
    known = pa.table({"sample_id": pc.unique(listed["sample_id"].drop_null())}) if not reconsider else None
    standing = register.in_force.select("sample_id", "person_id", "uri")
    leaving = F.lit(True)
    if known is not None:
        marked = spark.createDataFrame(known).withColumn("listed", F.lit(True))
        standing = standing.join(marked, "sample_id", "left")
        leaving = F.col("listed").isNull()
    if new.num_rows:
        at_place = spark.createDataFrame(new.select(["person_id", "uri"])).withColumn("new", F.lit(True))
        standing = standing.join(at_place, ["person_id", "uri"], "left")
        leaving = leaving & F.col("new").isNull()
    if len(listing.unlisted):
        standing = standing.join(
            spark.createDataFrame(pa.table({"person_id": listing.unlisted})).withColumn("unlisted", F.lit(True)),
            "person_id",
            "left",
        )
        leaving = leaving & F.col("unlisted").isNull()
    of_person = standing.groupBy("person_id").agg(F.count("*").alias("active"), F.count_if(leaving).alias("leaving"))
    if new.num_rows:
        photos = new.group_by("person_id").aggregate([("person_id", "count")]).rename_columns(["person_id", "photos"])
        of_person = of_person.join(spark.createDataFrame(photos), "person_id", "left")
        certain = F.greatest(F.lit(0), F.col("leaving") - F.coalesce("photos", F.lit(0)))
    else:
        certain = F.col("leaving")
    (found,) = of_person.agg(F.sum("active").alias("active"), F.sum(certain).alias("leaving")).collect()
    active = found.active or 0
    refuse_too_many_withdrawals(found.leaving or 0, active, max_withdraw, "at least " if new.num_rows else "")
    return active


def refuse_too_many_withdrawals(leaving: int, active: int, max_withdraw: float, how: str = "") -> None:
    """Refuse to withdraw more than the allowed share of the samples in force. how: exactly, or "at least ", as long as
    photos have not been seen.

    Raises:
        InputError: it would be more.
    """
    share = leaving / active if active else 0.0
    if share > max_withdraw:
        raise InputError(
            f"--sync would withdraw {how}{leaving:,} of {active:,} samples, more than {max_withdraw:.0%}; if that is"
            f" meant: --max-withdraw {math.ceil(100 * share) / 100:.2f}{' or more' if how else ''}"
        )
