"""The nightly chain through spark-submit on a cluster whose executors have GPUs each (that are none), while processes
die: the rows in the end are those of an undisturbed run on this machine's threads.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from jobs.run.context import Context
from tests.accept.nights import FOUND, MATCHED, job
from tests.processes import descendants, kill, wait_until
from tests.spark_submit import ended
from tests.standalone import Standalone
from tests.support import DAYS, MakeContext, assert_same_tables, copied, root_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_the_chain_in_which_an_executor_and_a_worker_die(
    cluster: Standalone, made: MakeContext, enrolled: Context, undisturbed: Context, lake: Path
) -> None:
    context = copied(made, enrolled, "chain")
    cluster.run("ingest", *job(context, "--source", f"{lake}/{{run_date}}/", "--run-date", DAYS[0]))

    embedding = cluster.submit("embed", *job(context, "--run-date", DAYS[0]))
    worker = wait_until(cluster.python_workers, embedding, pause=0.01)[0]
    (executor,) = [pid for pid in cluster.executors() if worker in descendants(pid)]
    kill(executor)
    assert "Lost executor" in ended(embedding)
    assert_same_tables(context, undisturbed, *FOUND)

    identifying = cluster.submit("identify", *job(context, "--run-date", DAYS[0]))
    kill_workers(cluster, identifying)
    said = ended(identifying)
    assert "Python worker exited unexpectedly" in said, said
    assert_same_tables(context, undisturbed, *MATCHED)

    page = root_of(context).parent / "page.html"
    cluster.run("summary", *job(context, "--run-date", DAYS[0], "--output", str(page)))
    assert "obama" in page.read_text()


def kill_workers(cluster: Standalone, process: subprocess.Popen[str]) -> None:
    """Three as they appear, one after the other: one may have nothing to do just then. A task may fail three times."""
    killed: set[int] = set()
    while process.poll() is None and len(killed) < 3:
        for worker in sorted(set(cluster.python_workers()) - killed)[:1]:
            kill(worker)
            killed.add(worker)
        time.sleep(0.01)


def test_the_driver_dies_between_two_tables(
    cluster: Standalone, made: MakeContext, ingested: Context, undisturbed: Context
) -> None:
    context = copied(made, ingested, "driver")
    process = cluster.submit("embed", *job(context, "--run-date", DAYS[0]))
    faces, outcomes = (root_of(context) / name / "_delta_log" for name in ("faces", "image_outcomes"))
    wait_until(lambda: has_rows(faces), process, pause=0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not has_rows(outcomes)
    said = cluster.run("embed", *job(context, "--run-date", DAYS[0]))
    assert "committing a slice that another run had computed" in said
    assert_same_tables(context, undisturbed, *FOUND)


def has_rows(log: Path) -> bool:
    return any('"add"' in version.read_text() for version in log.glob("*.json"))
