"""Notes of what the rows of a date and gallery stand for, in `searches`: who changes rows claims them first."""

import time
from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Row
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from jobs.run import ledger
from jobs.run.context import Context
from jobs.run.wording import dates_in_words
from schemas.catalog import CLAIMED, SEARCHES
from schemas.literals import on_dates
from udfs.arrow import local_frame

LONGEST_WRITE = 300.0
"""Seconds to wait for a run that is writing. Writing takes seconds: a run that takes longer is taken to be dead."""
_PAUSE = 2.0


class OvertakenError(RuntimeError):
    """Another run has begun, or finished, to identify one of the dates against the same gallery meanwhile."""


class Claims:
    """The notes of some dates and one gallery, as one run reads and writes them.

    A claim is a note of a run that stands for nothing. It is put in the place of the notes that were read before
    rows are changed, and the note in the place of the claim when all rows are written. So

    - after a run that was killed meanwhile the dates are searched as if for the first time;
    - of two runs that change rows at once one learns of it, and no note stands for rows of the other.
    """

    def __init__(self, context: Context, gallery_name: str, run_dates: Sequence[date], run_id: str) -> None:
        self._context = context
        self._tables = context.tables
        self._gallery_name = gallery_name
        self._run_dates = run_dates
        self._run_id = run_id
        self._noted: dict[date, str] = {}
        self._mine = on_dates(run_dates) & (F.col("gallery_name") == gallery_name)

    def read(self) -> list[Row]:
        """The notes as they stand, once no other run is writing."""
        deadline = time.monotonic() + LONGEST_WRITE
        while self._being_written(found := self._now()) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        self._noted = {note.run_date: note.run_id for note in found}
        return found

    def claim(self, values: Mapping[str, object]) -> None:
        """Take the place of the notes that were read. values: as of `write`.

        Raises:
            OvertakenError: others are there by now. Nothing is changed then but claims.
        """
        if not self._put({**values, "search_id": CLAIMED}):
            raise self._overtaken()

    def write(self, values: Mapping[str, object]) -> None:
        """Note what the rows stand for, in the place of the claims, or of what was read if nothing was claimed.

        values: the columns of `searches` but gallery_name, run_date and run_id.

        Raises:
            OvertakenError: another run has claimed them meanwhile. The rows may be a mixture of both, so the notes of
                both are deleted, and both search again.
        """
        if not self._put(values):
            self._forget(self._now())
            raise self._overtaken()

    def _put(self, values: Mapping[str, object]) -> bool:
        """Replace, for each date, the note that this run has last read or written; whether no other run had."""
        of_all = {**values, "gallery_name": self._gallery_name, "run_id": self._run_id}
        rows = [{**of_all, "run_date": day, "of_run": self._noted.get(day)} for day in self._run_dates]
        schema = StructType([*SEARCHES.schema, StructField("of_run", StringType())])
        put = self._tables.exchange("searches", local_frame(self._context.spark, rows, schema))
        self._noted = dict.fromkeys(self._run_dates, self._run_id)
        return put == len(rows)

    def _now(self) -> list[Row]:
        return self._tables.read_or_empty("searches").where(self._mine).collect()

    def _being_written(self, found: Sequence[Row]) -> bool:
        writers = {note.run_id for note in found if note.search_id == CLAIMED} - {self._run_id}
        if not writers:
            return False
        return ledger.ended(self._tables).where(F.col("run_id").isin(*writers)).count() < len(writers)

    def _forget(self, found: Sequence[Row]) -> None:
        if found:
            self._tables.delete_where("searches", self._mine & F.col("run_id").isin(*{note.run_id for note in found}))

    def _overtaken(self) -> OvertakenError:
        return OvertakenError(
            f"another run has begun, or finished, to identify {dates_in_words(self._run_dates)} against"
            f" {self._gallery_name!r} meanwhile"
        )
