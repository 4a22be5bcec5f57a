"""How far a query is, on standard error while it runs."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark import StatusTracker
from pyspark.sql import SparkSession

_FIRST, _EACH = 1.0, 0.3
"""Seconds before anything is shown, and between two looks."""
_WIDTH = 40


@contextmanager
def progress(spark: SparkSession) -> Iterator[None]:
    """Show how many tasks of the running jobs are done, if standard error is a terminal; in the end nothing is left of
    it.
    """
    if not sys.stderr.isatty():
        yield
        return
    ended = threading.Event()
    # A thread of its own, and so a connection of its own to the JVM.
    showing = threading.Thread(target=_show, args=(spark.sparkContext.statusTracker(), ended), daemon=True)
    showing.start()
    try:
        yield
    finally:
        ended.set()
        showing.join()


def _show(tracker: StatusTracker, ended: threading.Event) -> None:
    shown = False
    pause = _FIRST
    while not ended.wait(pause):
        pause = _EACH
        done, tasks = _tasks(tracker)
        if tasks:
            bar = "#" * (_WIDTH * done // tasks)
            sys.stderr.write(f"\r[{bar:.<{_WIDTH}}] {done:,} of {tasks:,} tasks ")
            sys.stderr.flush()
            shown = True
    if shown:
        sys.stderr.write("\r\x1b[K")  # to the start of the line, and clear it
        sys.stderr.flush()


def _tasks(tracker: StatusTracker) -> tuple[int, int]:
    """Of the jobs that run: tasks that are done, and all."""
    jobs = [tracker.getJobInfo(job) for job in tracker.getActiveJobsIds()]
    stages = [tracker.getStageInfo(stage) for job in jobs if job is not None for stage in job.stageIds]
    known = [stage for stage in stages if stage is not None]
    return sum(stage.numCompletedTasks for stage in known), sum(stage.numTasks for stage in known)
