"""Dates that `identify` brings up to date together."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import date

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.gallery.snapshot import GallerySnapshot
from jobs.run.context import Context

FACES_A_BATCH = 500_000
"""About: a batch is written as a whole, and what was done before it stays when it fails."""


def batches(context: Context, gallery: GallerySnapshot) -> list[list[date]]:
    """The dates that have faces, the newest first, in batches of neighbours that need the same: whose rows were found
    by one search in one gallery, on which the same samples are valid, now and then, and that can be compared, or not.
    """
    notes = context.tables.read_or_empty("searches").where(F.col("gallery_name") == gallery.name).collect()
    standing = {note.run_date: stands_for(note) for note in notes}
    valid_on = _valid_on(gallery.described(), context.tables.read_or_empty("searched_samples"))
    found: list[list[date]] = []
    key, size = None, 0
    comparable = F.bool_or(F.col("contract_id") == gallery.contract_id)
    faces = context.tables.read_or_empty("faces").groupBy("run_date")
    for day, count, contract in sorted(faces.agg(F.count("*"), comparable).collect(), reverse=True):
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


def said(dates: Sequence[date]) -> str:
    """For a message."""
    return str(dates[0]) if len(dates) == 1 else f"{len(dates):,} dates from {min(dates)} to {max(dates)}"


def _valid_on(*samples: DataFrame) -> Callable[[date], tuple[int, int]]:
    """What is the same of two dates on which the same samples are valid: how many have begun to be, and have ended."""
    found = [row for each in samples for row in each.select("valid_from", "valid_to").distinct().collect()]
    first, last = ({row[name] for row in found} - {None} for name in ("valid_from", "valid_to"))
    begun, ended = sorted(first), sorted(last)
    return lambda day: (bisect_right(begun, day), bisect_left(ended, day))
