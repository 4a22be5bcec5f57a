"""Trains the small network in two processes on executors, and kills one of them after the first pass. A program of its
own: its Spark is a cluster.

python -m tests.jobs.learning.trained_on_executors FOLDER
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from pyspark.sql import SparkSession

import training.together
from jobs.learning.processes import train_in
from jobs.run import settings
from jobs.run.context import Context
from schemas.store import Tables
from tests.training.small import train_small_together
from training.folder import TrainingFolder


def main() -> None:
    folder = Path(sys.argv[1])
    training.together.train_together = train_small_together
    spark = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.executor.memory", "1g")
        .config("spark.executorEnv.OMP_NUM_THREADS", "1")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    threading.Thread(target=kill_one_after_a_pass, args=(folder,), daemon=True).start()
    try:
        train_in(Context(spark, Tables(spark, str(folder / "tables")), settings.load()), folder, 2)
    finally:
        spark.stop()


def kill_one_after_a_pass(folder: Path) -> None:
    """Kill an executor of this cluster when a pass has been written down."""
    while not (TrainingFolder(folder).has("state.pt") and TrainingFolder(folder).read("state.pt")["step"] > 0):
        time.sleep(0.2)
    executor = next(pid for pid in children(os.getpid()) if b"CoarseGrainedExecutorBackend" in command(pid))
    os.kill(executor, signal.SIGKILL)
    (folder / "killed").write_text(str(executor))


def children(of: int) -> list[int]:
    """All processes below one."""
    parent = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, level = [], [of]
    while level:
        level = [pid for pid, above in parent.items() if above in level]
        found += level
    return found


def command(pid: int) -> bytes:
    """Its command line."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    main()
