"""An enrolment as a process of its own that is killed: the next one goes on, and ends alike."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.enroll import enroll
from jobs.run.context import Context
from tests.conftest import ROOT
from tests.processes import wait_until
from tests.spark_submit import environment
from tests.support import EMBEDDER, MakeContext, assert_same_tables, root_of


@pytest.mark.slow
@pytest.mark.parametrize(("table", "commits"), [("seen_photos", 2), ("gallery", 1)])
def test_a_process_that_is_killed_is_made_good(
    make_context: MakeContext, enrolled: Context, demo_photos: tuple[Path, Path], table: str, commits: int
) -> None:
    """Killed when two of four slices are committed; and when the samples are, and the decisions are not."""
    context, people = make_context(), str(demo_photos[1])
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "jobs.enroll", "--gallery", people, "--gallery-name", "people"),
            *("--tables", str(context.tables.root), "--set", f"vision.embedder={EMBEDDER}"),
            *("--commit-every", "1", "--master", "local[1]"),
        ],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    # The first commit creates a table.
    log = root_of(context) / table / "_delta_log"
    wait_until((log / f"{commits:020}.json").exists, process, seconds=400)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()

    committed = context.tables.read("seen_photos").count()
    assert not context.tables.exists("enrollments")
    counts = enroll(context, gallery=people, gallery_name="people", commit_every=1)
    assert counts.get("images", 0) == 4 - committed
    assert committed >= 2
    assert_same_tables(context, enrolled, "gallery", "enrollments", "contracts")
    assert context.tables.read("seen_photos").isEmpty()
    packed = root_of(context) / "seen_photos" / "_packed"
    assert not packed.exists() or not any(packed.iterdir())
