"""The notes of which samples were searched: as they would be, had the erased ones never been among them.

So `identify` takes the dates that were searched for done, and looks again for those faces alone whose rows are gone.
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.erasure.closure import Closure, frame_of, of_gallery
from jobs.registry.snapshot import SamplesDigest, digests_of, searched
from jobs.run.context import Context
from udfs.ids import stable_id

_DECISIVE = ("sample_id", "person_id", "valid_from", "valid_to", "labels", "embedding_digest")
_NOBODY = SamplesDigest(stable_id("samples"), 0, 0, bounded=False)


@dataclass(frozen=True)
class SearchedGallery:
    """One state of a gallery, and what it is without the erased samples. samples: rows of `searched_samples` that stay;
    dates: rows of `searches`, as they are to be."""

    digest: str
    gone: int
    samples: DataFrame
    dates: list[Row]


def searched_galleries(context: Context, closure: Closure) -> list[SearchedGallery]:
    """The states of galleries of which erased samples were part."""
    tables = context.tables
    if not tables.exists("searched_samples") or not (closure.samples or closure.person):
        return []
    every = tables.read("searched_samples")
    hits = every.join(frame_of(context, "sample_id", closure.samples), "sample_id", "left_semi").select(*every.columns)
    if closure.person is not None:
        person = frame_of(context, "person_id", [closure.person])
        mine = every.where(of_gallery("searched_samples", closure.subject.gallery_name))
        hits = hits.unionByName(mine.join(person, "person_id", "left_semi").select(*every.columns)).distinct()
    found = []
    for row in hits.groupBy("gallery_digest", "gallery_name").count().orderBy("gallery_digest").collect():
        here = every.where(F.col("gallery_digest") == row.gallery_digest)
        left = here.join(hits.select("gallery_digest", "sample_id"), ["gallery_digest", "sample_id"], "left_anti")
        found.append(_without(context, row.gallery_digest, row["count"], left.select(*every.columns)))
    return found


def _without(context: Context, digest: str, gone: int, left: DataFrame) -> SearchedGallery:
    left = left.localCheckpoint()
    noted = context.tables.read_or_empty("searches").where(F.col("gallery_digest") == digest).collect()
    dates = []
    for note in noted:
        now = digests_of(left.groupBy(), *_DECISIVE)[()] if left.count() else _NOBODY
        of_state = stable_id("gallery", note.gallery_name, note.contract_id, now.digest)
        persons = searched(left, note.run_date, note.labels).select("person_id").distinct().count()
        dates.append(
            Row(**{**note.asDict(), "gallery_digest": of_state, "gallery_samples": now.samples, "persons": persons})
        )
    return SearchedGallery(digest, gone, left, dates)


def forget_samples(context: Context, found: SearchedGallery) -> None:
    """Put what a gallery is without them in the place of what it was. It may be killed, and done again."""
    tables, spark = context.tables, context.spark
    digests = sorted({note.gallery_digest for note in found.dates})
    for digest in digests:  # of several contracts, if any
        rows = found.samples.withColumn("gallery_digest", F.lit(digest))
        tables.overwrite("searched_samples", rows, F.col("gallery_digest") == digest)
    if found.dates:
        schema = tables.read("searches").schema
        tables.change("searches", spark.createDataFrame(found.dates, schema))
    tables.delete_rows("searched_samples", frame_of(context, "gallery_digest", [found.digest]))
