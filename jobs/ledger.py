"""The ledger: what every run was asked, what it did, and how it ended."""

import os
import platform
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version

from pyspark.sql import DataFrame, SparkSession

from jobs import log, memory
from schemas.catalog import RUNS
from schemas.store import Tables
from udfs.ids import stable_id

_LIBRARIES = ("rollcall", "pyspark", "delta-spark", "torch", "facenet-pytorch", "numpy", "pyarrow", "pillow")
LONGEST_RUN = timedelta(hours=48)
"""A run that began earlier than this and has not ended was killed."""


@dataclass
class Run:
    """A run that is under way; a job adds what it counts and the digests it works under."""

    run_id: str
    counts: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def count(self, name: str, amount: int) -> None:
        """Add to one of the counts."""
        self.counts[name] = self.counts.get(name, 0) + amount


@contextmanager
def run(spark: SparkSession, tables: Tables, job: str, arguments: Mapping[str, object]) -> Iterator[Run]:
    """Note the start, and then the end or the failure, of what happens inside.

    Whatever can be found wrong without writing is to be found before: bad input leaves no trace.
    """
    started = time.time_ns()
    # The one identifier with a time in it: a run is what happened once.
    current = Run(stable_id("run", job, socket.gethostname(), os.getpid(), started))
    text = {name: str(value) for name, value in arguments.items() if value is not None}
    versions = {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}

    def note(event: str, error: str | None = None) -> None:
        seconds = (time.time_ns() - started) / 1e9
        row = (
            current.run_id,
            event,
            datetime.now(UTC),
            job,
            text,
            versions,
            current.digests,
            current.counts | ({} if event == "started" else memory.peaks(spark)),
            seconds,
            error,
        )
        tables.append("runs", spark.createDataFrame([row], RUNS.schema))

    note("started")
    with log.of_run(current.run_id, job):
        log.event("started", {})
        try:
            yield current
        except BaseException as failure:
            _note_failure(partial(note, "failed", one_line(failure)))
            raise
        note("finished")
        log.event("finished", current.counts)


def _note_failure(note: Callable[[], None]) -> None:
    """What failed may keep the ledger from being written as well (a full disk, a JVM that is gone): what failed first
    is what a person has to know.
    """
    try:
        note()
    except Exception as failure:  # noqa: BLE001 - said, and the first failure goes on
        log.say(f"the failure could not be noted in `runs`: {one_line(failure)}", level="WARNING")


def ended(tables: Tables) -> DataFrame:
    """run_id of the runs that have finished or failed."""
    return tables.read("runs").where("event != 'started'").select("run_id").distinct()


def utc(naive: datetime) -> datetime:
    """A time of a table: Spark gives timestamps in the zone of this process."""
    return naive.astimezone(UTC)


def one_line(error: BaseException) -> str:
    """What went wrong, in one line: Spark's and Java's stack traces are left to the log."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # The last Python line of a worker's traceback says more than the first line of Spark's; and of causes, the last.
    told = [line for line in lines if ": " in line and line.split(":")[0].endswith(("Error", "Rejected"))]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    best = told[-1:] or causes[-1:] or lines[:1]
    return (best[0] if best else type(error).__name__)[:500]
