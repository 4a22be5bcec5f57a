"""What tests of commands share."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from pyspark.sql import SparkSession

from schemas.store import Tables
from schemas.table import Table

_CREATE_NOW = Tables._create_now


def _appear(folder: Path, copied: Path) -> None:
    """A copy of a folder, whole from the first moment: others may create the same table now, and theirs is as good."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as aside:
        whole = shutil.copytree(copied, Path(aside) / folder.name)
        try:
            whole.rename(folder)
        except OSError:
            if not folder.exists():
                raise


@pytest.fixture
def in_this_session(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs use the tests' session, and leave it running."""
    from jobs.run import session

    monkeypatch.setattr(session, "spark_session", lambda job, master, short: spark)
    monkeypatch.setattr(SparkSession, "stop", lambda self: None)


@pytest.fixture(scope="session")
def first_commits() -> dict[str, Path]:
    """The folders of tables that Delta has created, by what was declared, each with its first commit alone."""
    return {}


@pytest.fixture(autouse=True)
def tables_are_created_once(
    first_commits: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables are created by copying one that Delta has created before from the same declaration: that takes a quarter
    of a second, and hundreds are needed. How tables are created is tested in tests/schemas.
    """

    def create_now(tables: Tables, table: Table) -> None:
        folder = Path(f"{tables.root}/{table.name}")
        if tables.database is not None or not folder.is_absolute() or folder.exists():
            _CREATE_NOW(tables, table)
            return
        declared = json.dumps([table.name, table.row, table.schema.json(), table.partition_by, table.properties])
        if declared not in first_commits:
            _CREATE_NOW(tables, table)
            first_commits[declared] = shutil.copytree(folder, tmp_path_factory.mktemp("created") / table.name)
            return
        _appear(folder, first_commits[declared])

    monkeypatch.setattr(Tables, "_create_now", create_now)
