"""A driver that is killed half-way, and the run that goes on in its place."""

import os
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.ingest import ingest
from tests.support import EMBEDDER, MakeContext, assert_same_tables

pytestmark = pytest.mark.slow


def test_no_image_is_embedded_twice_after_its_slice_was_staged(
    make_context: MakeContext, demo_photos: tuple[Path, Path]
) -> None:
    """SIGKILL between the staging of the first slice and its last commit; then the job once more."""
    killed, undisturbed = make_context("killed"), make_context("undisturbed")
    for context in (killed, undisturbed):
        ingest(context, source=f"{demo_photos[0]}/{{run_date}}/")
    place = str(killed.tables.root)
    command = [sys.executable, "-m", "jobs.embed", "--tables", place, "--all-pending", "--commit-every", "4"]
    # A session of its own, so that Spark's JVM and its workers die with their driver.
    driver = subprocess.Popen(
        [*command, "--set", f"vision.embedder={EMBEDDER}", "--master", "local[2]"], start_new_session=True
    )
    staged = Path(place) / "staged" / "_delta_log" / "00000000000000000001.json"  # 0 created the table
    deadline = time.monotonic() + 240
    while not staged.exists():
        assert driver.poll() is None, "the job ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait(30)

    first = {row.image_id: row.run_id for row in killed.tables.read("staged").collect()}
    assert len(first) == 4
    assert killed.tables.read_or_empty("image_outcomes").isEmpty()
    counts = embed(killed, run_date=date.fromisoformat(RUN_DATE), commit_every=4)
    assert counts["recovered_slices"] == 1
    assert counts["pending"] == counts["images"] == 12 - 4
    after = {row.image_id: row.run_id for row in killed.tables.read("image_outcomes").collect()}
    assert len(after) == 12
    assert first.items() <= after.items()  # the rows are those the killed run computed
    assert killed.tables.read("staged").isEmpty()

    embed(undisturbed, all_pending=True)
    assert_same_tables(killed, undisturbed, "image_outcomes", "faces")
