"""Puts statements to the tables, and prints the answers."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from pyspark import InheritableThread
from pyspark.errors import AnalysisException

from jobs.queries import interrupts
from jobs.queries.functions import names_of
from jobs.queries.permission import refuse_writes
from jobs.queries.progress import progress
from jobs.queries.values import plain_rows
from jobs.run.context import Context
from pages import answers
from schemas.catalog import TABLES
from schemas.names import Names

Answer = tuple[list[str], list[tuple[Any, ...]]]


@dataclass
class Questions:
    """Statements of one person. `form` is one of `pages.answers.FORMS`; at most `limit` rows are shown of each answer.

    write: whether a statement may change tables.
    """

    context: Context
    form: str
    limit: int
    write: bool
    names: Names = field(init=False)
    """Those that statements may use."""

    def __post_init__(self) -> None:
        self.names = names_of(self.context)

    def ask(self, statement: str) -> None:
        """Run one statement and print its answer; an interrupt stops the query, and is then passed on.

        Raises:
            InputError: it is refused, or the form cannot hold its answer.
            PySparkException: it is wrong, or fails.
        """
        names, rows = self._answer(statement)
        if len(rows) > self.limit:
            self.context.log.info(f"sql: only the first {self.limit:,} rows are shown; --limit shows more")
        if names:
            with interrupts.raised():
                answers.write(self.form, names, rows[: self.limit])

    def _answer(self, statement: str) -> Answer:
        """The answer, from a thread: this one waits for an interrupt as well."""
        found: list[Answer] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                found.append(self._rows(statement))
            except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
                failed.append(error)

        running = InheritableThread(target=run, daemon=True)
        with interrupts.noted() as interrupted, progress(self.context.spark):
            running.start()
            while running.is_alive() and not interrupted.is_set():
                running.join(0.2)
            if interrupted.is_set():
                self._stop(running)
                raise KeyboardInterrupt
        if failed:
            raise failed[0]
        return found[0]

    def _rows(self, statement: str) -> Answer:
        if not self.write:
            refuse_writes(self.context.spark, statement)
        self.names.register(statement)
        try:
            answer = self.context.spark.sql(statement)
        except AnalysisException as error:
            self._refuse_missing(error)
            raise
        return answer.columns, plain_rows(answer, self.limit + 1) if answer.columns else []

    def _refuse_missing(self, error: AnalysisException) -> None:
        """Say which job writes a table that a statement names and that is not there yet."""
        if error.getCondition() == "TABLE_OR_VIEW_NOT_FOUND":
            for name in TABLES:
                if f"`{name}`" in str(error):
                    self.context.tables.read(name)

    def _stop(self, running: threading.Thread) -> None:
        """Cancel the jobs of a query until it has ended, and they have: it may just be starting one, and one that it
        has left would be in the way of the next query."""
        spark = self.context.spark.sparkContext
        tracker = spark.statusTracker()
        while running.is_alive() or tracker.getActiveJobsIds():
            spark.cancelAllJobs()
            time.sleep(0.2)
