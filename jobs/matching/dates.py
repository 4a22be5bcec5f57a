"""Dates that `identify` brings up to date together."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context

FACES_A_BATCH = 500_000
"""About. A batch is written as a whole; when one fails, the batches before it stand."""


def batches(context: Context, gallery: GallerySnapshot) -> list[list[date]]:
    """The dates that have faces, the newest first, in batches of neighbours that need the same: whose rows were found
    by one search in one gallery, on which the same samples are valid, now and then, and that can be compared, or not.
    """
    notes = context.tables.read_or_empty("searches").where(F.col("gallery_name") == gallery.name).collect()
    standing = {note.run_date: stands_for(note) for note in notes}
    valid_on = _valid_on(gallery.described(), context.tables.read_or_empty("searched_samples"))
    found: list[list[date]] = []
    key, size = None, 0
    has_comparable_faces = F.bool_or(F.col("contract_id") == gallery.contract_id)
    faces = context.tables.read_or_empty("faces").groupBy("run_date")
    for day, count, contract in sorted(faces.agg(F.count("*"), has_comparable_faces).collect(), reverse=True):
        before, key = key, (contract, standing.get(day), valid_on(day))
        size += count
        if key != before or size > FACES_A_BATCH:
            found.append([])
            size = count
        found[-1].append(day)
    return found


def alike(samples: DataFrame, run_dates: Sequence[date]) -> bool:
    """Whether the same samples are valid on all of some dates."""
    return len(set(map(_valid_on(samples), run_dates))) == 1


def stands_for(note: Row) -> tuple[str, ...]:
    """What rows that a note describes are the answer to."""
    return (note.search_id, note.gallery_digest, note.threshold_id)


def _valid_on(*samples: DataFrame) -> Callable[[date], tuple[int, int]]:
    """A function that gives two dates the same key if the same samples are valid on both: how many validities have
    begun, and how many have ended.
    """
    found = [row for frame in samples for row in frame.select("valid_from", "valid_to").distinct().collect()]
    first, last = ({row[name] for row in found} - {None} for name in ("valid_from", "valid_to"))
    begun, ended = sorted(first), sorted(last)
    return lambda day: (bisect_right(begun, day), bisect_left(ended, day))
