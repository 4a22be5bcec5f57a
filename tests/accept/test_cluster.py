"""The demo on a small cluster, as a person runs it, and its chain on one machine's threads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.__main__ import chain, settings
from tests.support import MakeContext, assert_same_tables

pytestmark = pytest.mark.slow


def test_a_cluster_gives_the_same_rows(
    make_context: MakeContext, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "demo", str(folder)],
        env={**os.environ, "ROLLCALL_MASTER": "local-cluster[2,1,2048]"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder / "tables").rename(tmp_path / "cluster")
    cluster, local = make_context("cluster"), make_context("local", *settings(None))
    capsys.readouterr()
    chain(local, folder / "lake", folder / "people")
    shown = capsys.readouterr().out
    assert done.stdout.startswith(shown)
    tables = ("images", "image_outcomes", "faces", "enrollments", "gallery", "matches", "identifications")
    assert_same_tables(local, cluster, *tables)
