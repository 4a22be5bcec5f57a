"""Jobs of a night on a cluster, and the tables they are held against."""

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from demo.photos import RUN_DATE
from jobs.options import Context
from tests.standalone import NONE, Conf, Standalone
from tests.support import EMBEDDER, MakeContext

DAYS = (RUN_DATE, "2026-02-01")
SETTINGS = ("--set", f"vision.embedder={EMBEDDER}")
FOUND = ("images", "image_outcomes", "faces")
MATCHED = ("matches", "identifications")


def copied(made: MakeContext, context: Context, name: str) -> Context:
    """Delta tables name their files relative to themselves."""
    other = made(name)
    shutil.copytree(root_of(context), root_of(other))
    return other


def root_of(context: Context) -> Path:
    return Path(str(context.tables.root))


def job(context: Context, *more: str) -> tuple[str, ...]:
    """Arguments of a job on these tables."""
    return (*more, "--tables", str(context.tables.root), *SETTINGS)


def the_first(find: Callable[[], list[int]], process: subprocess.Popen[str]) -> int:
    """Wait for a process to appear while a job runs."""
    deadline = time.monotonic() + 200
    while not (found := find()):
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found[0]


def night(cluster: Standalone, context: Context, source: str, day: str, conf: Conf = NONE) -> None:
    cluster.run("ingest", *job(context, "--source", source, "--run-date", day), conf=conf)
    cluster.run("embed", *job(context, "--run-date", day), conf=conf)
    cluster.run("identify", *job(context, "--run-date", day), conf=conf)
