"""The ledger: what every run was asked, what it did, and how it ended."""

import os
import platform
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from pyspark.sql import DataFrame

from jobs.run import log, peak_memory, stopping, under_way
from jobs.run.context import Context
from jobs.run.errors import one_line
from schemas.catalog import RUNS
from schemas.store import Tables
from udfs.arrow import local_frame
from udfs.ids import stable_id
from udfs.redaction import HIDDEN, redacted

_LIBRARIES = ("rollcall", "pyspark", "delta-spark", "torch", "facenet-pytorch", "numpy", "pyarrow", "pillow")
_NAMES_OF_PEOPLE = ("names", "person_name")
"""Arguments that are names of persons, which the tables for them keep: the ledger has ids alone."""


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
def run(context: Context, **resolved: object) -> Iterator[Run]:
    """Note the start, and then the end or the failure, of what happens inside.

    Noted are the job's arguments as the context has them. Whatever can be found wrong without writing is to be found
    before: bad input leaves no trace.

    Where an erasure is under way, it is waited for; a job that has looked at the tables before is begun again after
    that (`jobs.run.options.Job`).

    resolved: arguments in the place of those given, where the settings or the tables have filled them in.

    Raises:
        ErasureError: an erasure has begun since the job did.
    """
    started = time.time_ns()
    job = context.job
    # The one identifier with a time in it: a run is what happened once.
    current = Run(stable_id("run", job, socket.gethostname(), os.getpid(), started))
    arguments = _as_text({**context.arguments, **resolved})
    versions = {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}

    def note(event: str, error: str | None = None) -> None:
        seconds = (time.time_ns() - started) / 1e9
        row = (
            current.run_id,
            event,
            datetime.now(UTC),
            job,
            arguments,
            versions,
            current.digests,
            current.counts | ({} if event == "started" else peak_memory.peaks(context.spark)),
            seconds,
            error,
        )
        context.tables.append("runs", local_frame(context.spark, [row], RUNS.schema))

    note("started")
    with log.of_run(current.run_id, job):
        context.log.info("started", extra={"event": "started", "counts": {}})
        try:
            _begin_after_erasures(context)
            yield current
        except BaseException as failure:
            why = stopping.REASON if stopping.settle() else redacted(one_line(failure))
            _note_failure(context, partial(note, "failed", why))
            raise
        note("finished")
        context.log.info("finished", extra={"event": "finished", "counts": dict(current.counts)})


def _begin_after_erasures(context: Context) -> None:
    if context.job == under_way.ERASE:  # for whose end the others wait
        return
    if context.erasures_seen is None:
        under_way.wait_for_erasures(context)
    else:
        under_way.refuse_during_erasure(context)


def _as_text(arguments: Mapping[str, object]) -> dict[str, str]:
    """Arguments that say something, as text: not those that are left out, no flags that are off, and no secrets."""
    said = {name: value for name, value in arguments.items() if not (value is None or value is False or value == ())}
    return {
        name: HIDDEN
        if name in _NAMES_OF_PEOPLE
        else redacted(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
        for name, value in said.items()
    }


def _note_failure(context: Context, note: Callable[[], None]) -> None:
    """What failed may keep the ledger from being written as well (a full disk, a JVM that is gone): what failed first
    is what a person has to know.
    """
    try:
        note()
    except Exception as failure:  # noqa: BLE001 - said, and the first failure goes on
        context.log.warning(f"the failure could not be noted in `runs`: {one_line(failure)}")


def ended(tables: Tables) -> DataFrame:
    """run_id of the runs that have finished or failed."""
    return tables.read("runs").where("event != 'started'").select("run_id").distinct()


def utc(naive: datetime) -> datetime:
    """A time of a table: Spark gives timestamps in the zone of this process."""
    return naive.astimezone(UTC)
