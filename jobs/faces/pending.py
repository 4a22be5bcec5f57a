"""The images that are pending when a run begins, page by page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.inputs import image_table
from jobs.run import ledger
from jobs.run.context import Context
from schemas.store import Tables
from udfs.errors import InputError

RETRIES = 3
"""How many later runs try an unreadable image again."""
IMAGES_A_PAGE = 200_000
"""About. The driver holds one page at a time, some 250 bytes an image; each is one query of the dates it lies in."""


def is_tried_again() -> Column:
    """Of an outcome: its image could not be read, and a later run tries it again."""
    return (F.col("outcome") == "rejected:unreadable") & (F.col("attempts") <= RETRIES)


def unfinished_by_date(tables: Tables, chosen: Column, mine: Column) -> dict[date, int]:
    """How many images have no final outcome, by date. chosen: of a row with `run_date`. mine: of an outcome, whether it
    counts."""
    images = tables.read_or_empty("images").where(chosen).select("image_id", "run_date")
    done = tables.read_or_empty("image_outcomes").where(chosen & mine & ~is_tried_again()).select("image_id")
    rows = images.join(done, "image_id", "left_anti").groupBy("run_date").count().collect()
    return {row.run_date: row["count"] for row in rows}


@dataclass(frozen=True)
class Page:
    """The images of some dates, the first to the last; of one date perhaps those in a range of ids alone."""

    first: date
    last: date
    from_id: str | None = None
    below_id: str | None = None

    def holds(self) -> Column:
        """Of a row with `run_date` and `image_id`: whether it is in this page."""
        held = F.col("run_date").between(F.lit(self.first), F.lit(self.last))
        if self.from_id is not None:
            held &= F.col("image_id") >= self.from_id
        if self.below_id is not None:
            held &= F.col("image_id") < self.below_id
        return held


def pages(images_of: Mapping[date, int], most: int) -> Iterator[Page]:
    """Pages of about `most` images, which hold each image once, in the order of dates and ids.

    images_of: how many images there are of each date.
    """
    gathered: list[date] = []
    held = 0
    for day, count in sorted(images_of.items()):
        if gathered and held + count > most:
            yield Page(gathered[0], gathered[-1])
            gathered, held = [], 0
        if count > most:
            yield from _ranges(day, -(-count // most))
        else:
            gathered, held = [*gathered, day], held + count
    if gathered:
        yield Page(gathered[0], gathered[-1])


def _ranges(day: date, count: int) -> Iterator[Page]:
    """One date in so many pages: ids are hashes, of which equal ranges hold about as many."""
    edges = [None, *(f"{number * 16**8 // count:08x}" for number in range(1, count)), None]
    for from_id, below_id in pairwise(edges):
        yield Page(day, day, from_id, below_id)


class PendingImages:
    """The images without a final outcome under a contract and settings, as they are when this is made.

    They are asked for page by page, of versions of the tables that stay what they are: so what is pending does not
    change as slices are committed, whatever executors are lost meanwhile, and the driver never holds all of it.
    """

    def __init__(self, images: DataFrame, outcomes: DataFrame, images_of: Mapping[date, int]) -> None:
        self._images = images
        self._outcomes = outcomes
        self._images_of = images_of
        self.total = sum(images_of.values())

    @classmethod
    def of(cls, context: Context, chosen: Column, mine: Column, run: ledger.Run) -> "PendingImages":
        """Those of the chosen images whose bytes can be had: all but the images of a table that cannot be opened, or
        has them twice.

        A table may be put back or mended, and then its images are embedded: so they stay pending and get no outcome,
        which is said; and the images of all other sources go on.

        chosen: of a row with `run_date`. mine: of an outcome, whether it is under the contract and settings.
        """
        tables = context.tables
        images = tables.read_fixed("images").where(chosen)
        there = tables.exists("image_outcomes")
        outcomes = tables.read_fixed("image_outcomes") if there else tables.read_or_empty("image_outcomes")
        outcomes = outcomes.where(chosen & mine)
        found = _pending(images, outcomes)
        counted = found.groupBy("run_date", "content_table").count().collect()
        unreadable = []
        for name in sorted({row.content_table for row in counted} - {None}):
            try:
                _refuse_unreadable(context, name, found.where(F.col("content_table") == name))
            except InputError as error:
                left = sum(row["count"] for row in counted if row.content_table == name)
                context.log.warning(f"embed: {left:,} images stay pending: {error}")
                run.count("left_pending", left)
                unreadable.append(name)
        if unreadable:
            images = images.where(F.col("content_table").isNull() | ~F.col("content_table").isin(unreadable))
        images_of: dict[date, int] = {}
        for row in counted:
            if row.content_table not in unreadable:
                images_of[row.run_date] = images_of.get(row.run_date, 0) + row["count"]
        return cls(images, outcomes, images_of)

    def slices(self, size: int) -> Iterator[pa.Table]:
        """All of them, up to `size` at a time, with their `attempts` so far."""
        for page in pages(self._images_of, max(size, IMAGES_A_PAGE)):
            found = _pending(self._images.where(page.holds()), self._outcomes.where(page.holds())).toArrow()
            found = found.sort_by([("run_date", "ascending"), ("image_id", "ascending")])
            for start in range(0, found.num_rows, size):
                yield found.slice(start, size)


def _pending(images: DataFrame, outcomes: DataFrame) -> DataFrame:
    return (
        images.join(outcomes.select("image_id", "outcome", "attempts"), "image_id", "left")
        .where(F.col("outcome").isNull() | is_tried_again())
        .select(
            "image_id",
            "uri",
            "size",
            "modified_us",
            "regular",
            "run_date",
            "captured_at",
            "content_table",
            F.coalesce("attempts", F.lit(0)).alias("attempts"),
        )
    )


def _refuse_unreadable(context: Context, name: str, wanted: DataFrame) -> None:
    """Raises:
    InputError: the table cannot be opened, or has one of the images twice.
    """
    held = image_table.contents(context, name).select(*image_table.VERSION)
    asked = wanted.select(*image_table.VERSION)
    image_table.refuse_ambiguous(name, held.join(asked, image_table.VERSION, "left_semi"))
