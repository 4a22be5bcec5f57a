"""Which samples stay in force: nobody is judged against a sample that the same run withdraws."""

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.gallery.register import Register


def remaining(register: Register, listed: pa.Table, seen: pa.Table, sync: bool) -> DataFrame | None:
    """The samples in force, but for those that are withdrawn as they are no longer listed; None as in `Register`.

    listed: person_id, uri, photo_id and sample_id, as of `listing.Listing`. seen: the same of the photos that were
    looked at, and content_sha256. sync: whether what is no longer listed is withdrawn.
    """
    if register.in_force is None or not sync:
        return register.in_force
    spark = register.in_force.sparkSession
    samples = pa.table({"sample_id": pc.unique(samples_of(listed, seen).drop_null())})
    listed_here = spark.createDataFrame(samples).withColumn("_listed", F.lit(True))
    found = register.in_force.join(listed_here, "sample_id", "left")
    stays = F.col("_listed").isNotNull()
    if (unread := unread_places(seen)).num_rows:
        spared = spark.createDataFrame(unread).withColumn("_spared", F.lit(True))
        found = found.join(spared, ["person_id", "uri"], "left")
        stays = stays | F.col("_spared").isNotNull()
    return found.where(stays).select(*register.in_force.columns)


def samples_of(listed: pa.Table, seen: pa.Table) -> pa.Array:
    """The sample of each listed photo: as it was seen now, else as it stands decided; null where neither is known."""
    of_photo = pc.index_in(version_key(listed), value_set=version_key(seen).combine_chunks())
    now = pc.coalesce(seen["sample_id"].take(of_photo), listed["sample_id"])
    return now.combine_chunks() if isinstance(now, pa.ChunkedArray) else now


def unread_places(seen: pa.Table) -> pa.Table:
    """person_id and uri of the photos that could not be read: their samples are not withdrawn."""
    return seen.filter(pc.is_null(seen["content_sha256"])).select(["person_id", "uri"])


def version_key(photos: pa.Table) -> pa.ChunkedArray:
    """The version of the photo, and the person: what a decision is about."""
    return pc.binary_join_element_wise(photos["photo_id"], photos["person_id"], "/")
