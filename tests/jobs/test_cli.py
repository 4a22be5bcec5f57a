"""The command line as a person meets it: what it says when it is used wrongly, and that nothing is written."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.cli import COMMANDS, rollcall
from jobs.run.errors import run_command
from schemas.table import SCHEMA_VERSION
from tests.conftest import ROOT
from tests.jobs.command_line import said
from tests.spark_submit import PROGRAM, environment


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["ingest", "--source", "/no/such/folder"], "/no/such/folder: cannot be listed"),
        (["ingest"], "--source URI, or --source-table NAME"),
        (["ingest", "--source", "/tmp/{day}"], "no part is called {day}"),
        (["embed", "--run-date", "2026-13-45"], "'2026-13-45' is not a date; write it as 2026-01-31"),
        (["embed", "--run-date", "tomorrow"], "is not a date"),
        (["embed"], "--run-date YYYY-MM-DD, or --all-pending"),
        (
            ["embed", "--all-pending", "--set", "vision.embedder=arcface"],
            "use one of: facenet-vggface2, facenet-vggface2-int8, mobilefacenet",
        ),
        (["embed", "--all-pending", "--set", "vision.detector=haar"], "use one of: mtcnn"),
        (["embed", "--all-pending", "--set", "weights.facenet-vggface2={bad}"], "not a weights file"),
        (["embed", "--all-pending", "--set", "weights.facenet-vggface2=/no/file"], "/no/file: cannot be read"),
        (["identify", "--run-date", "2026-01-31"], "no table 'gallery' yet; run `rollcall enroll` first"),
        (["enroll", "--gallery", "/no/folder", "--gallery-name", "g"], "cannot be listed"),
        (["enroll", "--gallery", "/tmp"], "Missing option '--gallery-name'"),
        (["calibrate", "--images", "/tmp", "--target", "nan"], "'nan' is not a finite number"),
        (["evaluate", "--protocol", "pairs", "--threshold", "inf"], "'inf' is not a finite number"),
        (["sql", "SELECT * FROM nothing", "--limit", "0"], "Invalid value for '--limit'"),
        (["sweep"], "no table 'gallery' yet; run `rollcall enroll` first"),
        (
            ["evaluate", "--protocol", "pairs", "--pairs", "p.csv", "--threshold", "0.5", "--threshold-from", "q.csv"],
            "give one of them",
        ),
        (["forget"], "No such command 'forget'"),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(
    in_this_session: None,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    dlib_weights: Path,
    centerface_weights: Path,
    arguments: list[str],
    told: str,
) -> None:
    bad = tmp_path / "bad.pt"
    bad.write_bytes(b"not weights")
    arguments = [argument.replace("{bad}", str(bad)) for argument in arguments]
    if arguments[0] == "enroll":
        arguments += ["--set", "vision.embedder=dlib-resnet-v1"]
    tables = tmp_path / "tables"
    place = [] if arguments[0] == "forget" else ["--tables", str(tables)]
    code, text = said(capsys, rollcall, *arguments, *place)
    assert code == 2
    assert told in text
    assert len(text.strip().splitlines()) == 1
    assert not tables.exists()


def test_a_root_of_another_schema_version_is_left_alone(
    in_this_session: None, spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--tables", str(tmp_path / "tables")]
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "a.jpg").touch()
    run_command(rollcall, ["ingest", "--source", str(tmp_path / "lake"), *place])
    for table in ("images", "runs"):
        path = f"delta.`{tmp_path}/tables/{table}`"
        spark.sql(f"ALTER TABLE {path} SET TBLPROPERTIES ('rollcall.schemaVersion' = '0')")
    (tmp_path / "lake" / "b.jpg").touch()
    before = sorted(str(path) for path in (tmp_path / "tables").rglob("*"))
    capsys.readouterr()
    code, text = said(capsys, rollcall, "ingest", "--source", str(tmp_path / "lake"), *place)
    assert (code, f"was written by schema version 0, this is version {SCHEMA_VERSION}" in text) == (2, True)
    assert sorted(str(path) for path in (tmp_path / "tables").rglob("*")) == before


def test_no_tables_named(in_this_session: None, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, rollcall, "ingest", "--source", "/tmp")
    assert (code, "--tables URI or --database NAME" in text) == (2, True)


@pytest.mark.parametrize("job", ["ingest", "embed", "enroll", "identify", "sql", "weights"])
def test_help_is_quick_and_imports_no_torch(job: str) -> None:
    program = (
        "import sys\nfrom jobs.cli import main\nsys.argv = ['rollcall', sys.argv[1], '--help']\n"
        "try:\n    main()\nfinally:\n    assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program, job], capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_page_of_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    rollcall.main([name, "--help"], prog_name="rollcall", standalone_mode=False)
    text = capsys.readouterr().out
    assert text.startswith(f"Usage: rollcall {name} ")
    assert "Options:" in text


AS_SPARK_SUBMIT_DOES = """
import contextlib, io, runpy, sys
sys.path[0] = sys.argv.pop(1)
for file in sys.argv[1:]:
    sys.argv = [file, "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
        runpy.run_path(file, run_name="__main__")
    print(file, said.getvalue().split()[0])
"""


def test_every_file_of_a_command_can_be_submitted() -> None:
    """spark-submit runs the file, with its folder first on the path."""
    files = [str(ROOT / "jobs" / f"{name}.py") for name in COMMANDS]
    command = [sys.executable, "-c", AS_SPARK_SUBMIT_DOES, str(ROOT / "jobs"), *files]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [word for file in files for word in (file, "Usage:")]


@pytest.mark.slow
def test_spark_submit_gives_the_help_of_every_command() -> None:
    def said(name: str) -> str:
        command = [PROGRAM, ROOT / "jobs" / f"{name}.py", "--help"]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment()).stdout

    with ThreadPoolExecutor(2) as pool:
        for name, text in zip(COMMANDS, pool.map(said, COMMANDS), strict=True):
            assert text.startswith(f"Usage: {name}.py "), name
