"""The demo, as a person runs it, on one machine's threads and on a small cluster."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import MakeContext, assert_same_tables

pytestmark = pytest.mark.slow


def demo(folder: Path, master: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "demo", str(folder)],
        env={**os.environ, "ROLLCALL_MASTER": master},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_cluster_gives_the_same_rows(
    make_context: MakeContext, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    # One lake for both: an image's id holds its URI.
    printed = {}
    for name, master in (("local", "local[2]"), ("cluster", "local-cluster[2,1,2048]")):
        folder = tmp_path / "demo"
        printed[name] = demo(folder, master)
        (folder / "tables").rename(tmp_path / name)
    print(printed["cluster"])
    local, cluster = make_context("local"), make_context("cluster")
    tables = ("images", "image_outcomes", "faces", "enrollments", "gallery", "matches", "identifications")
    assert_same_tables(local, cluster, *tables)
    assert printed["local"] == printed["cluster"]


def test_spark_submit_takes_the_same_arguments(tmp_path: Path, demo_photos: tuple[Path, Path]) -> None:
    root = Path(__file__).parent.parent.parent
    submit = Path(sys.executable).parent / "spark-submit"
    done = subprocess.run(
        [
            *(str(submit), "--master", "local[2]", "--properties-file", str(root / "conf" / "local.conf")),
            *(str(root / "jobs" / "ingest.py"), "--tables", str(tmp_path / "tables")),
            *("--source", f"{demo_photos[0]}/{{run_date}}/"),
        ],
        env={**os.environ, "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ingest: 12 files, 12 new or changed" in done.stdout  # spark-submit joins both streams
