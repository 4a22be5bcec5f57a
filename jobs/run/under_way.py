"""Which runs and which erasures are under way: neither begins while the other is.

Each side first writes that it begins, and then looks for the other; so one of them always sees the other.
"""

import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Row
from pyspark.sql import functions as F

from schemas.store import Tables
from udfs.errors import InputError

if TYPE_CHECKING:
    from jobs.run.context import Context

LONGEST_RUN = timedelta(hours=48)
"""A run that began longer ago than this and has not ended is taken to have been killed."""
LONGEST_WAIT = 3600.0
"""Seconds that a run waits for an erasure."""
PAUSE = 2.0
ERASE = "erase"
"""The job that erases."""


class ErasureError(RuntimeError):
    """An erasure has begun since a job looked at the tables; what it has seen may hold what is erased."""


def runs(tables: Tables, own: Collection[str] = ()) -> list[Row]:
    """run_id, job and at of the runs that have begun and not ended, the first first. own: run_id of those that do not
    count."""
    recent = F.col("at") > F.lit(datetime.now(UTC) - LONGEST_RUN)
    noted = tables.read_or_empty("runs")
    begun = noted.where(recent & (F.col("event") == "started") & ~F.col("run_id").isin(*own, ""))
    ended = noted.where("event != 'started'").select("run_id")
    return begun.join(ended, "run_id", "left_anti").select("run_id", "job", "at").orderBy("at").collect()


def erasures(tables: Tables) -> list[Row]:
    """The rows of `erasures` that say that one has begun, of those that have not ended; the first first."""
    if not tables.exists("erasures"):
        return []
    noted = tables.read("erasures")
    ended = noted.where("event IN ('finished', 'withdrawn')").select("erasure_id", F.col("at").alias("ended_at"))
    last = ended.groupBy("erasure_id").agg(F.max("ended_at").alias("ended_at"))
    open_ones = noted.where("event = 'begun'").join(last, "erasure_id", "left")
    return open_ones.where("ended_at IS NULL OR at > ended_at").drop("ended_at").orderBy("at").collect()


def erasures_seen(tables: Tables) -> int:
    """A number that is another one once a further erasure has begun; it costs no job of Spark."""
    return tables.version("erasures") if tables.exists("erasures") else -1


def refuse_during_erasure(context: "Context") -> None:
    """Called by a run that has written that it begins.

    Raises:
        ErasureError: an erasure is under way, or has begun since the job began to look at the tables.
    """
    tables = context.tables
    if not tables.exists("erasures"):
        return
    if erasures(tables) or (context.erasures_seen is not None and context.erasures_seen != erasures_seen(tables)):
        raise ErasureError("an erasure has begun since this job looked at the tables; it begins again after that")


def wait_for_erasures(context: "Context") -> None:
    """Wait until no erasure is under way.

    Raises:
        InputError: one still is after an hour: it was killed, most likely.
    """
    deadline = time.monotonic() + LONGEST_WAIT
    said = False
    while found := erasures(context.tables):
        if time.monotonic() >= deadline:
            raise InputError(
                f"erasure {found[0].erasure_id} ({found[0].kind}) has been under way since"
                f" {found[0].at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, and this run has waited"
                f" {LONGEST_WAIT / 60:.0f} minutes; if it was killed, run the same `rollcall erase` again with"
                f" --killed {found[0].run_id}, which carries it to its end"
            )
        if not said:
            most = f"{LONGEST_WAIT / 60:.0f} minutes at most"
            context.log.info(f"{context.job}: an erasure is under way; this run waits for its end, {most}")
            said = True
        time.sleep(PAUSE)
