"""No command leaves a folder of Spark's catalog where it is called."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.run import warehouse
from tests.conftest import ROOT

_HIVE = {"spark.sql.catalogImplementation": "hive"}
_OWN = {warehouse.FOLDER: "/own"}


def test_the_folder_is_a_temporary_one_of_the_process() -> None:
    found = warehouse.properties({})
    assert list(found) == [warehouse.FOLDER]
    assert found == warehouse.properties({})
    folder = Path(found[warehouse.FOLDER].removeprefix("file://"))
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("given", [_OWN, _HIVE])
def test_what_a_user_says_stands(given: dict[str, str]) -> None:
    assert warehouse.properties(given) == {}


@pytest.mark.slow
def test_a_query_over_a_catalog_leaves_nothing_behind(tmp_path: Path) -> None:
    """To look for a name that is no view, Spark makes the folder of the default schema."""
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    command = [sys.executable, "-m", "jobs.sql", "SHOW TABLES", "--tables", str(tmp_path / "tables")]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    done = subprocess.run(command, cwd=here, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(here.iterdir()) == []
    assert list(temporary.glob("rollcall-*")) == []
