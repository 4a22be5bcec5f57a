"""Tables of an older schema version: read as they are, migrated by the first write, however often that is killed."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars
import pytest
from delta import DeltaTable
from deltalake import DeltaTable as OtherReader
from deltalake.exceptions import DeltaProtocolError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from schemas import migration
from schemas.catalog import CONTRACTS, MATCHES, TABLES
from schemas.store import Tables
from schemas.table import SCHEMA_VERSION, Column, Table
from tests.support import rows_of
from udfs.errors import InputError

DAYS = [date(2026, 1, 30), date(2026, 1, 31), date(2026, 2, 1)]
LATER = str(int(SCHEMA_VERSION) + 1)
UNTOUCHED = "run_date=2026-01-30"
"""The partition of `matches` in which no row was ever deleted."""


class Killed(BaseException):
    """Ends a migration as a signal would."""


@contextmanager
def schema_version(version: str) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("table", "store", "migration"):
            patch.setattr(f"schemas.{module}.SCHEMA_VERSION", version)
        yield patch


@contextmanager
def release_of_version_4() -> Iterator[None]:
    """Tables are made as by the releases that had schema version 4."""
    present = Table.properties.fget
    assert present is not None

    def properties(table: Table) -> dict[str, str]:
        of_vectors = str(table.name in {"matches", "identifications"}).lower()
        return {**present(table), "delta.enableDeletionVectors": of_vectors}

    with schema_version("4") as patch:
        patch.setattr(Table, "properties", property(properties))
        yield


def matches(spark: SparkSession, *rows: tuple[str, str, date]) -> DataFrame:
    whole = [(face, "g", person, "i", day, "c", 1, "s", 0.5, "r") for face, person, day in rows]
    return spark.createDataFrame(whole, MATCHES.schema).coalesce(1)


def contract(spark: SparkSession, contract_id: str) -> DataFrame:
    return spark.createDataFrame([(contract_id, "d", "e", 2, "{}")], CONTRACTS.schema)


@pytest.fixture(scope="module")
def version_4(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables of version 4; two of the three partitions of `matches` have files with deletion vectors."""
    root = tmp_path_factory.mktemp("version_4") / "tables"
    with release_of_version_4():
        tables = Tables(spark, str(root))
        tables.append("matches", matches(spark, *[(f"f{at}", "p", day) for day in DAYS for at in range(4)]))
        scope = spark.createDataFrame([("f1", "g"), ("f2", "g")], "face_id string, gallery_name string")
        tables.replace("matches", matches(spark, *[("f1", "q", day) for day in DAYS[1:]]), scope, DAYS[1:])
        tables.append("contracts", contract(spark, "a"))
    return root


@pytest.fixture
def tables(spark: SparkSession, version_4: Path, tmp_path: Path) -> Tables:
    """A copy of the tables of version 4, opened by this release."""
    shutil.copytree(version_4, tmp_path / "tables")
    return Tables(spark, str(tmp_path / "tables"))


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """What was logged, whether or not an earlier test has configured the logger."""
    level = migration.LOGGER.level
    migration.LOGGER.addHandler(caplog.handler)
    migration.LOGGER.setLevel(logging.INFO)
    yield lambda: caplog.text
    migration.LOGGER.removeHandler(caplog.handler)
    migration.LOGGER.setLevel(level)


def opened_anew(tables: Tables) -> Tables:
    return Tables(tables._spark, tables.root)


def properties(tables: Tables, name: str) -> dict[str, str]:
    return migration.properties(tables._spark, tables.identifier(name))


def commits(tables: Tables, name: str) -> int:
    newest = DeltaTable.forPath(tables._spark, f"{tables.root}/{name}").history(1).first()
    assert newest is not None
    return int(newest.version)


def files(tables: Tables, name: str) -> set[str]:
    return {Path(row.file).name for row in tables.read(name).selectExpr("_metadata.file_path AS file").collect()}


def contents(tables: Tables) -> list[str]:
    return sorted(str(path) for path in Path(str(tables.root)).rglob("*"))


def assert_migrated(tables: Tables, rows: list[str]) -> None:
    assert "matches" not in opened_anew(tables).outdated()
    assert properties(tables, "matches")["rollcall.schemaVersion"] == SCHEMA_VERSION
    assert properties(tables, "matches")["delta.enableDeletionVectors"] == "false"
    assert rows_of(tables.read("matches")) == rows
    other = OtherReader(f"{tables.root}/matches")
    assert not other.protocol().reader_features
    assert other.to_pyarrow_table().num_rows == polars.read_delta(f"{tables.root}/matches").height == len(rows)


def test_a_table_of_version_4_is_read_and_not_written(spark: SparkSession, tables: Tables) -> None:
    before = contents(tables)
    assert tables.outdated() == {"contracts": "4", "matches": "4"}
    assert tables.read("matches").count() == 10
    assert tables.read_fixed("contracts").count() == 1
    assert contents(tables) == before
    with pytest.raises(DeltaProtocolError, match="deletionVectors"):
        OtherReader(f"{tables.root}/matches").to_pyarrow_table()


def test_the_first_write_migrates_a_table(spark: SparkSession, tables: Tables, said: Callable[[], str]) -> None:
    rows, untouched = rows_of(tables.read("matches")), files(tables, "matches")
    kept = {path.name for path in Path(f"{tables.root}/matches/{UNTOUCHED}").glob("*.parquet")}
    tables.append("matches", matches(spark))
    assert_migrated(tables, rows)
    assert (
        f"{tables.root}: table 'matches' was migrated from schema version 4 to {SCHEMA_VERSION}; 4 of its files"
        in said()
    )
    assert len(kept) == 1
    assert files(tables, "matches") & untouched == kept, "only partitions with deletion vectors are rewritten"
    assert tables.outdated() == {"contracts": "4"}

    before = commits(tables, "contracts")
    tables.update("contracts", contract(spark, "a"))
    assert f"table 'contracts' was migrated from schema version 4 to {SCHEMA_VERSION}; 0 of its files" in said()
    assert commits(tables, "contracts") == before + 2, "one commit for the migration, one for the write"

    with (
        release_of_version_4(),
        pytest.raises(InputError, match=f"schema version {SCHEMA_VERSION}, this is version 4; update Roll"),
    ):
        opened_anew(tables).read("matches")


@pytest.mark.slow
def test_a_migrated_table_is_written_without_deletion_vectors(spark: SparkSession, tables: Tables) -> None:
    tables.migrate("matches")
    scope = spark.createDataFrame([("f3", "g")], "face_id string, gallery_name string")
    tables.replace("matches", matches(spark, ("f3", "new", DAYS[0])), scope, DAYS)
    tables.compact("matches")
    rows = rows_of(tables.read("matches"))
    assert len(rows) == 8
    assert_migrated(tables, rows)
    assert migration._files_with_deletion_vectors(tables._delta_table("matches")).isEmpty()


@pytest.mark.slow
def test_what_a_running_job_reads_outlives_the_migration(tables: Tables) -> None:
    reading = tables.read_fixed("matches")
    rows = rows_of(reading)
    tables.migrate("matches")
    month_ago = time.time() - 30 * 24 * 3600
    for path in Path(f"{tables.root}/matches").rglob("*"):
        if path.is_file() and "_delta_log" not in path.parts:
            os.utime(path, (month_ago, month_ago))
    tables.vacuum("matches", 168)
    assert rows_of(reading) == rows, "files and deletion vectors of a week's versions are kept"


def test_conditions_that_have_changed_are_renewed(spark: SparkSession, tmp_path: Path) -> None:
    narrow = replace(CONTRACTS, constraints={"known": "embedder IN ('e')"})
    wide = replace(CONTRACTS, constraints={"known": "embedder IN ('e', 'f')"})
    with schema_version("6") as patch:
        patch.setitem(TABLES, "contracts", narrow)
        Tables(spark, str(tmp_path)).append("contracts", contract(spark, "a"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TABLES, "contracts", wide)
        tables = Tables(spark, str(tmp_path))
        tables.append("contracts", contract(spark, "b").withColumn("embedder", F.lit("f")))
        with pytest.raises(Exception, match="DELTA_VIOLATE_CONSTRAINT"):
            tables.append("contracts", contract(spark, "c").withColumn("embedder", F.lit("g")))
        before = commits(tables, "contracts")
        Tables(spark, str(tmp_path)).migrate("contracts")
        assert commits(tables, "contracts") == before
    assert {row.embedder for row in tables.read("contracts").collect()} == {"e", "f"}


def test_migrating_twice_does_nothing(tables: Tables, said: Callable[[], str]) -> None:
    other = opened_anew(tables)
    assert other.outdated()
    tables.migrate("matches")
    before, told = contents(tables), said()
    for again in (tables, other, opened_anew(tables)):
        again.migrate("matches")
    assert (contents(tables), said()) == (before, told)


@pytest.mark.parametrize("done", [1, *(pytest.param(after, marks=pytest.mark.slow) for after in (0, 2, 3))])  # steps
def test_a_killed_migration_is_finished_by_the_next(tables: Tables, monkeypatch: pytest.MonkeyPatch, done: int) -> None:
    rows, steps = rows_of(tables.read("matches")), migration.STEPS["4"]

    def kill(_: migration.OlderTable) -> int:
        raise Killed

    monkeypatch.setitem(migration.STEPS, "4", (*steps[:done], kill))
    with pytest.raises(Killed):
        tables.migrate("matches")
    assert properties(tables, "matches")["rollcall.schemaVersion"] == "4", "the version is set last"
    assert rows_of(tables.read("matches")) == rows

    monkeypatch.setitem(migration.STEPS, "4", steps)
    before = commits(tables, "matches")
    opened_anew(tables).migrate("matches")
    assert commits(tables, "matches") == before + [5, 4, 2, 1][done], "no commit is made a second time"
    assert_migrated(tables, rows)


@pytest.mark.slow
def test_partitions_that_were_rewritten_before_a_kill_are_not_rewritten_again(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, condition, asked = rows_of(tables.read("matches")), migration._condition, []

    def once(partition: tuple[tuple[str, str], ...]) -> str:
        asked.append(partition)
        if len(asked) == 2:
            raise Killed
        return condition(partition)

    monkeypatch.setattr(migration, "_condition", once)
    with pytest.raises(Killed):
        tables.migrate("matches")
    opened_anew(tables).migrate("matches")
    assert asked == [(("run_date", str(day)),) for day in (DAYS[1], DAYS[2], DAYS[2])]
    assert_migrated(tables, rows)


@pytest.mark.slow
def test_two_processes_migrate_at_once(tables: Tables) -> None:
    rows, both = rows_of(tables.read("matches")), [opened_anew(tables), opened_anew(tables)]
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(each.migrate, "matches") for each in both]:
            done.result()
    assert_migrated(tables, rows)


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2])  # before partitions are rewritten; before the feature is dropped
def test_another_process_migrates_meanwhile(tables: Tables, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    rows, files_with, asked = rows_of(tables.read("matches")), migration._files_with_deletion_vectors, []

    def overtaken(table: DeltaTable) -> DataFrame:
        found = files_with(table)
        asked.append(found)
        if len(asked) == at:
            found = found.localCheckpoint()
            opened_anew(tables).migrate("matches")
        return found

    monkeypatch.setattr(migration, "_files_with_deletion_vectors", overtaken)
    tables.migrate("matches")
    assert_migrated(tables, rows)


@pytest.mark.slow
def test_tables_in_a_catalog_schema_are_migrated(spark: SparkSession, tables: Tables) -> None:
    rows = rows_of(tables.read("matches"))
    spark.sql(f"CREATE SCHEMA older LOCATION '{tables.root}'")
    try:
        spark.sql(f"CREATE TABLE older.matches USING delta LOCATION '{tables.root}/matches'")
        Tables(spark, None, "older").migrate("matches")
        assert_migrated(tables, rows)
        assert not Tables(spark, None, "older").outdated()
    finally:
        spark.sql("DROP SCHEMA older CASCADE")


@pytest.mark.parametrize(
    ("version", "advice"), [(LATER, "update Rollcall to the release"), ("3", "use the release that wrote it")]
)
def test_other_versions_are_refused(spark: SparkSession, tables: Tables, version: str, advice: str) -> None:
    spark.sql(f"ALTER TABLE delta.`{tables.root}/contracts` SET TBLPROPERTIES ('rollcall.schemaVersion' = '{version}')")
    before = contents(tables)
    told = f"'contracts' was written by schema version {version}, this is version {SCHEMA_VERSION}; {advice}"
    for use in (tables.read, tables.migrate, lambda name: tables.append(name, contract(spark, "b"))):
        with pytest.raises(InputError, match=told):
            use("contracts")
    assert contents(tables) == before


def test_a_later_version_can_add_columns(
    spark: SparkSession, tables: Tables, monkeypatch: pytest.MonkeyPatch, said: Callable[[], str]
) -> None:
    new = Column("colour", "struct<name:string,hue:double>", "made up; the table's own", nullable=True)
    columns = (*CONTRACTS.columns[:2], new, *CONTRACTS.columns[2:])
    monkeypatch.setitem(TABLES, "contracts", replace(CONTRACTS, columns=columns))
    monkeypatch.setitem(migration.STEPS, SCHEMA_VERSION, (migration.add_declared_columns,))
    with schema_version(LATER):
        old = tables.read("contracts")
        assert old.columns == [column.name for column in columns], "null until the table is migrated"
        assert [row.colour for row in old.collect()] == [None]
        assert tables.files("contracts").count == 1
        row = ("b", "d", ("red", 0.5), "e", 2, "{}")
        tables.append("contracts", spark.createDataFrame([row], TABLES["contracts"].schema))
        assert f"from schema version 4 to {LATER}" in said()
        stored = spark.table(tables.identifier("contracts"))
        assert stored.columns == old.columns
        comments = {
            row.col_name: row.comment for row in spark.sql(f"DESCRIBE {tables.identifier('contracts')}").collect()
        }
        assert comments["colour"] == "made up; the table's own"
        assert {row.contract_id: row.colour and row.colour.name for row in stored.collect()} == {"a": None, "b": "red"}
        before = commits(tables, "contracts")
        opened_anew(tables).migrate("contracts")
        migration.add_declared_columns(
            migration.OlderTable(
                spark, TABLES["contracts"], tables.identifier("contracts"), lambda: tables._delta_table("contracts")
            )
        )
        assert commits(tables, "contracts") == before


@pytest.mark.slow
def test_another_process_adds_a_column_meanwhile(
    spark: SparkSession, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, attempts = Column("colour", "string", "made up", nullable=True), []

    def overtaken(table: migration.OlderTable) -> int:
        attempts.append(migration.add_declared_columns(table))
        if len(attempts) == 1:
            spark.sql(f"ALTER TABLE {table.identifier} ADD COLUMNS (colour string)")
        return 0

    monkeypatch.setitem(TABLES, "contracts", replace(CONTRACTS, columns=(*CONTRACTS.columns, new)))
    monkeypatch.setitem(migration.STEPS, SCHEMA_VERSION, (overtaken,))
    with schema_version(LATER):
        tables.migrate("contracts")
        assert properties(tables, "contracts")["rollcall.schemaVersion"] == LATER
    assert len(attempts) == 2


def test_a_column_that_old_rows_cannot_have_is_a_mistake(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        TABLES, "contracts", replace(CONTRACTS, columns=(*CONTRACTS.columns, Column("colour", "string", "made up")))
    )
    monkeypatch.setitem(migration.STEPS, SCHEMA_VERSION, (migration.add_declared_columns,))
    with schema_version(LATER), pytest.raises(ValueError, match=r"contracts\.colour is new and not nullable"):
        tables.migrate("contracts")
