"""Which samples leave a gallery. Nobody is judged against a sample that the same run withdraws."""

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from jobs.registry.register import Register

_NOBODY = pa.array([], pa.string())


def leaving(register: Register, listed: pa.Table, seen: pa.Table, sync: bool, unlisted: pa.Array = _NOBODY) -> pa.Array:
    """sample_id of the samples in force that are withdrawn, because no listed photo is theirs any more: of all those
    where `sync` says so, else of those in whose place another photo stands now. Where that could not be read, its
    sample stays. Of persons whose folders could not be listed no more leaves than without `sync`.

    listed: person_id, uri, photo_id and sample_id, as of `listing.Listing`. seen: the same of the photos that were
    looked at, and content_sha256. unlisted: person_id of those persons.
    """
    if register.in_force is None or not (sync or seen.num_rows):
        return _NOBODY
    spark = register.in_force.sparkSession
    samples = pa.table({"sample_id": pc.unique(samples_of(listed, seen).drop_null())})
    is_read = pc.is_valid(seen["content_sha256"])
    places = seen.select(["person_id", "uri"])
    in_force = register.in_force.select("sample_id", "person_id", "uri")

    def replaced(samples: DataFrame) -> DataFrame:
        return samples.join(spark.createDataFrame(places.filter(is_read)), ["person_id", "uri"], "left_semi")

    may_leave = in_force if sync else replaced(in_force)
    if sync and (unread := places.filter(pc.invert(is_read))).num_rows:
        may_leave = may_leave.join(spark.createDataFrame(unread), ["person_id", "uri"], "left_anti")
    if sync and len(unlisted):
        persons = spark.createDataFrame(pa.table({"person_id": unlisted}))
        of_listed = may_leave.join(persons, "person_id", "left_anti")
        may_leave = of_listed.unionByName(replaced(in_force.join(persons, "person_id", "left_semi")))
    found = may_leave.join(spark.createDataFrame(samples), "sample_id", "left_anti").select("sample_id").toArrow()
    return found["sample_id"].combine_chunks()


def without(samples: DataFrame | None, leave: pa.Array) -> DataFrame | None:
    """Samples without those that leave."""
    if samples is None or not len(leave):
        return samples
    return samples.join(samples.sparkSession.createDataFrame(pa.table({"sample_id": leave})), "sample_id", "left_anti")


def samples_of(listed: pa.Table, seen: pa.Table) -> pa.Array:
    """The sample of each listed photo: as it was seen now, else as it stands decided; null where neither is known."""
    of_photo = pc.index_in(version_key(listed), value_set=version_key(seen).combine_chunks())
    now = pc.coalesce(seen["sample_id"].take(of_photo), listed["sample_id"])
    return now.combine_chunks() if isinstance(now, pa.ChunkedArray) else now


def place_key(photos: pa.Table) -> pa.ChunkedArray:
    """The place of the photo, and the person."""
    return pc.binary_join_element_wise(photos["uri"], photos["person_id"], "/")


def version_key(photos: pa.Table) -> pa.ChunkedArray:
    """The version of the photo, and the person: what a decision is about."""
    return pc.binary_join_element_wise(photos["photo_id"], photos["person_id"], "/")
