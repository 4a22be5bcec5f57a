"""What tables refuse, and what each way of writing leaves behind."""

import os
import shutil
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from delta import DeltaTable
from delta.tables import DeltaTableBuilder
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from schemas import store
from schemas.catalog import CONTRACTS, IDENTIFICATIONS, MATCHES, SEARCHES, TABLES
from schemas.store import Tables, spark_path
from tests.rows import frame
from udfs.arrow import local_frame
from udfs.errors import InputError

DAY, OTHER = date(2026, 1, 31), date(2026, 2, 1)


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path / "odd name %20"))


def contracts(spark: SparkSession, *ids: str, embedder: str = "e") -> DataFrame:
    return spark.createDataFrame([(name, "d", embedder, 2, "{}") for name in ids], CONTRACTS.schema)


def matches(spark: SparkSession, *rows: tuple[str, str, date, float]) -> DataFrame:
    whole = [(face, "g", person, "i", day, "c", 1, "s", similarity, "r") for face, person, day, similarity in rows]
    return spark.createDataFrame(whole, MATCHES.schema)


def found(tables: Tables) -> list[tuple[str, str, float]]:
    return sorted((row.face_id, row.person_id, row.similarity) for row in tables.read("matches").collect())


def test_a_key_is_added_once(spark: SparkSession, tables: Tables) -> None:
    tables.append_new("contracts", contracts(spark, "a", "b"))
    tables.append_new("contracts", contracts(spark, "b", "c", embedder="another"))
    rows = {row.contract_id: row.embedder for row in tables.read("contracts").collect()}
    assert rows == {"a": "e", "b": "e", "c": "another"}
    tables.update("contracts", contracts(spark, "b", embedder="another"))
    assert tables.read("contracts").where("embedder = 'another'").count() == 2


def test_rows_are_put_and_others_deleted_in_one_commit(spark: SparkSession, tables: Tables) -> None:
    tables.append_new("contracts", contracts(spark, "a", "b", "c"))
    gone = contracts(spark, "b", "never there").select("contract_id")
    tables.update_and_delete("contracts", contracts(spark, "a", "new", embedder="another"), gone)
    rows = {row.contract_id: row.embedder for row in tables.read("contracts").collect()}
    assert rows == {"a": "another", "c": "e", "new": "another"}


def test_a_column_is_kept_where_a_condition_says_so(spark: SparkSession, tables: Tables) -> None:
    tables.append_new("contracts", contracts(spark, "a", "b"))
    fresh = contracts(spark, "a", "b", "c", embedder="another")
    tables.update_keeping("contracts", fresh, "embedder", "t.contract_id = 'a' AND s.dimension = 2")
    rows = {row.contract_id: row.embedder for row in tables.read("contracts").collect()}
    assert rows == {"a": "e", "b": "another", "c": "another"}


@pytest.mark.parametrize(
    "said",
    [
        "[DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION] Cannot create table, as there are files",
        "[DELTA_TABLE_NOT_FOUND] Delta table doesn't exist.",  # what Delta remembers is older than its first commit
    ],
)
def test_a_table_that_another_is_just_creating_is_waited_for(
    spark: SparkSession, tables: Tables, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    execute, answers = DeltaTableBuilder.execute, [AnalysisException(said)]

    def created_by_both(builder: DeltaTableBuilder) -> DeltaTable:
        table = execute(builder)
        if answers:
            raise answers.pop()
        return table

    monkeypatch.setattr(DeltaTableBuilder, "execute", created_by_both)
    tables.append("contracts", contracts(spark, "a"))
    assert not answers
    assert tables.read("contracts").count() == 1


@pytest.mark.parametrize("left", [None, ".00000000000000000000.json.5e2c.tmp"])
def test_a_table_whose_creation_was_cut_off_is_created(
    spark: SparkSession, tables: Tables, monkeypatch: pytest.MonkeyPatch, left: str | None
) -> None:
    """As a full disk leaves it: a folder for Delta's log, and no commit."""
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    log = Path(f"{tables.root}/contracts/_delta_log")
    (log / "_staged_commits").mkdir(parents=True)
    if left is not None:
        (log / left).write_bytes(b'{"commitInfo":{"timest')
    tables.append("contracts", contracts(spark, "a"))
    assert tables.read("contracts").count() == 1


def test_a_table_that_went_away_is_not_waited_for(
    spark: SparkSession, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.append("contracts", contracts(spark, "a"))
    shutil.rmtree(f"{tables.root}/contracts")
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: pytest.fail("waited")))
    with pytest.raises(AnalysisException, match=r"DELTA_\w+"):
        tables.delete_where("contracts", F.lit(True))


def test_another_writer_is_waited_for(spark: SparkSession, tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=waited.append))
    append, conflicts = Tables._append, [Exception("DELTA_CONCURRENT_APPEND")] * 2

    def append_after_conflicts(self: Tables, name: str, rows: DataFrame) -> None:
        if conflicts:
            raise conflicts.pop()
        append(self, name, rows)

    monkeypatch.setattr(Tables, "_append", append_after_conflicts)
    tables.append("contracts", contracts(spark, "a"))
    assert len(waited) == 2
    assert tables.read("contracts").count() == 1


def test_deleted_rows_are_those_of_a_condition(spark: SparkSession, tables: Tables) -> None:
    tables.append("contracts", contracts(spark, "a", "it's", "c"))
    tables.delete_where("contracts", F.col("contract_id") == "it's")
    assert {row.contract_id for row in tables.read("contracts").collect()} == {"a", "c"}


def test_what_is_removed_is_not_named_in_the_log(spark: SparkSession, tables: Tables) -> None:
    tables.append("contracts", contracts(spark, "a", "b-removed", "c-deleted", "d").coalesce(1))
    tables.delete_rows("contracts", spark.createDataFrame([("b-removed",), ("not-there",)], "contract_id string"))
    tables.delete_where("contracts", F.col("contract_id") == "c-deleted")
    assert {row.contract_id for row in tables.read("contracts").collect()} == {"a", "d"}
    log = "".join(path.read_text() for path in Path(f"{tables.root}/contracts/_delta_log").glob("*.json"))
    assert "b-removed" not in log
    assert "not-there" not in log
    assert "c-deleted" in log, "`delete_where` says so of itself"


@pytest.mark.parametrize("local", [True, False])
def test_two_new_rows_of_one_key_are_a_mistake(spark: SparkSession, tables: Tables, local: bool) -> None:
    rows = contracts(spark, "a", "b", "a")
    with pytest.raises(ValueError, match=r"contracts: 2 have the key \('a',\)"):
        tables.append_new("contracts", local_frame(spark, rows.collect(), CONTRACTS.schema) if local else rows)
    assert not tables.exists("contracts")


def test_rows_are_exchanged_for_those_that_were_read(spark: SparkSession, tables: Tables) -> None:
    """Each as long as the row in its place is the one that was read: not changed, added or deleted meanwhile."""
    schema = StructType([*SEARCHES.schema, StructField("of_run", StringType())])

    def notes(run: str, **of_runs: str | None) -> DataFrame:
        note = dict.fromkeys(SEARCHES.names) | {"run_date": DAY, "labels": [], "run_id": run}
        text = dict.fromkeys(("contract_id", "search_id", "threshold_id", "gallery_digest"), "")
        numbers = dict.fromkeys(("k", "gallery_samples", "persons"), 1)
        shares = dict.fromkeys(("keep_floor", "minimum_size", "threshold", "review_threshold"), 0.5)
        whole = {**note, **text, **numbers, **shares, "exclude_self": False}
        rows = [{**whole, "gallery_name": name, "of_run": of_run} for name, of_run in of_runs.items()]
        return local_frame(spark, rows, schema)

    def standing() -> dict[str, str]:
        return {row.gallery_name: row.run_id for row in tables.read("searches").collect()}

    assert tables.exchange("searches", notes("one", a=None, b=None)) == 2
    assert tables.exchange("searches", notes("two", a="one", c=None)) == 2
    assert standing() == {"a": "two", "b": "one", "c": "two"}
    assert tables.exchange("searches", notes("three", a="one", b=None, d="one", e=None)) == 1
    assert standing() == {"a": "two", "b": "one", "c": "two", "e": "three"}


def test_replacing_takes_the_old_rows_of_its_scope_and_no_others(spark: SparkSession, tables: Tables) -> None:
    tables.append(
        "matches",
        matches(spark, ("f1", "p", DAY, 0.5), ("f1", "q", DAY, 0.4), ("f2", "p", DAY, 0.3), ("f1", "x", OTHER, 0.2)),
    )
    scope = spark.createDataFrame([("f1", "g"), ("f3", "g")], "face_id string, gallery_name string")
    fresh = matches(spark, ("f1", "p", DAY, 0.9), ("f3", "p", DAY, 0.8))
    for _ in range(2):  # the second time changes nothing
        tables.replace("matches", fresh, scope, [DAY])
        assert found(tables) == [("f1", "p", 0.9), ("f1", "x", 0.2), ("f2", "p", 0.3), ("f3", "p", 0.8)]
    tables.replace("matches", fresh.limit(0), scope, [DAY])
    assert found(tables) == [("f1", "x", 0.2), ("f2", "p", 0.3)]


def test_replacing_within_a_range_of_ids(spark: SparkSession, tables: Tables) -> None:
    """Rows beyond it stay, and rows are added wherever they are; the log has no more of the ids than was given."""

    def outcomes(precision: str, *ids: str) -> DataFrame:
        return frame(spark, "image_outcomes", [{"image_id": name, "precision": precision} for name in ids])

    tables.append("image_outcomes", outcomes("fp32", "aa11", "bb22", "bb33", "cc44"))
    scope = outcomes("fp32", "bb33", "bb55").select("image_id", "contract_id", "settings_id")
    for _ in range(2):  # the second time changes nothing
        tables.replace("image_outcomes", outcomes("bf16", "bb33", "bb55"), scope, [DAY], ("bb", "bb~"))
        rows = {row.image_id: row.precision for row in tables.read("image_outcomes").collect()}
        assert rows == {"aa11": "fp32", "bb22": "fp32", "bb33": "bf16", "bb55": "bf16", "cc44": "fp32"}
    newest = DeltaTable.forPath(spark, f"{tables.root}/image_outcomes").history(1).first()
    assert newest is not None
    assert "bb~" in str(newest.operationParameters)
    assert "bb33" not in str(newest.operationParameters)


def test_constraints_refuse_what_cannot_be(spark: SparkSession, tables: Tables) -> None:
    with pytest.raises(Exception, match="similarity_is_a_cosine"):
        tables.append("matches", matches(spark, ("f", "p", DAY, 1.01)))
    with pytest.raises(Exception, match="similarity_is_a_cosine"):
        tables.append("matches", matches(spark, ("f", "p", DAY, float("nan"))))
    tables.append("matches", matches(spark, ("f", "p", DAY, 1.0000001)))
    row = dict.fromkeys(IDENTIFICATIONS.names)
    row |= {"face_id": "f", "gallery_name": "g", "image_id": "i", "run_date": DAY, "contract_id": "c"}
    row |= {"decision": "match", "threshold_id": "t", "threshold": 0.5, "review_threshold": 0.4}
    row |= {"run_id": "r", "quality": (1.0,) * 7}
    with pytest.raises(Exception, match="a_match_names_someone"):
        tables.append("identifications", spark.createDataFrame([row], IDENTIFICATIONS.schema))


@pytest.mark.parametrize("embedding", [[0.6, 0.9], [0.0, 0.0], [float("nan"), 1.0], []])
def test_embeddings_have_unit_length(spark: SparkSession, tables: Tables, embedding: list[float]) -> None:
    names = TABLES["gallery"].names
    row = dict.fromkeys(names, "x") | dict.fromkeys(("valid_from", "valid_to", "withdrawn_at", "box"))
    row |= {"labels": [], "quality": (1.0,) * 7, "enrolled_at": None, "embedding": embedding, "embedding_digest": 0}
    from datetime import UTC, datetime

    row["enrolled_at"] = datetime.now(UTC)
    with pytest.raises(Exception, match="embedding_has_unit_length"):
        tables.append("gallery", spark.createDataFrame([row], TABLES["gallery"].schema))


def test_columns_too_many_or_too_few_are_a_mistake(spark: SparkSession, tables: Tables) -> None:
    with pytest.raises(ValueError, match="missing \\['document'\\]"):
        tables.append("contracts", contracts(spark, "a").drop("document"))


def test_tables_of_another_version_are_left_alone(spark: SparkSession, tables: Tables) -> None:
    tables.append("contracts", contracts(spark, "a"))
    spark.sql(f"ALTER TABLE delta.`{tables.root}/contracts` SET TBLPROPERTIES ('rollcall.schemaVersion' = '0')")
    with pytest.raises(InputError, match="schema version 0"):
        Tables(spark, str(tables.root)).read("contracts")
    spark.range(1).write.format("delta").save(f"{tables.root}/faces")
    with pytest.raises(InputError, match="'faces' is not a Rollcall table"):
        Tables(spark, str(tables.root)).read("faces")


def test_a_table_that_is_not_there_names_its_job(tables: Tables) -> None:
    with pytest.raises(InputError, match="run `rollcall identify` first"):
        tables.read("matches")
    with pytest.raises(InputError, match="no table 'runs' yet; run a job first"):
        tables.read("runs")


def test_tables_in_a_catalog_schema(spark: SparkSession, tmp_path: Path) -> None:
    spark.sql(f"CREATE SCHEMA people LOCATION '{tmp_path}/managed'")
    try:
        tables = Tables(spark, None, "people")
        tables.append("contracts", contracts(spark, "a"))
        assert spark.table("people.contracts").count() == 1
        comments = {row.name: row.description for row in spark.catalog.listColumns("people.contracts")}
        assert comments["embedder"] == "the embedder's name; every threshold is for one embedder"
        # A name may say its catalog, and none that needs backticks fails where it is looked for.
        of_catalog = Tables(spark, None, "spark_catalog.people")
        assert of_catalog.exists("contracts")
        assert of_catalog.read("contracts").count() == 1
        assert not Tables(spark, None, "people").exists("gallery")
        with pytest.raises(InputError, match="CREATE SCHEMA `nowhere`"):
            Tables(spark, None, "nowhere")
    finally:
        spark.sql("DROP SCHEMA people CASCADE")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_can_be_made(spark: SparkSession, tables: Tables, name: str) -> None:
    tables.create(name)
    assert tables.read(name).columns == TABLES[name].names


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///our%20people/100%2520/", "/our people/100%20"),
        ("s3://lake/our%20people/", "s3a://lake/our people"),
        ("abfs://box@account/%C3%BC", "abfs://box@account/ü"),
    ],
)
def test_paths_for_spark(uri: str, path: str) -> None:
    assert spark_path(uri) == path


@pytest.mark.parametrize(
    ("location", "uri"),
    [
        ("abfss://box@account.dfs.core.windows.net/a b/t", "abfss://box@account.dfs.core.windows.net/a%20b/t"),
        ("hdfs://name:8020/rollcall/faces", "hdfs://name:8020/rollcall/faces"),
        ("s3a://lake/a%20b", "s3://lake/a%2520b"),
        ("file:/tables/ü", "file:///tables/%C3%BC"),
    ],
)
def test_a_location_is_a_uri_of_the_lake(location: str, uri: str) -> None:
    assert store._lake_uri(location) == uri


def test_a_new_local_root_is_for_its_owner_alone(spark: SparkSession, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        for name, private in (("own", True), ("everybodys", False)):
            Tables(spark, str(tmp_path / name), private=private).create("reviews")
        (tmp_path / "there").mkdir()
        Tables(spark, str(tmp_path / "there"), private=True).create("reviews")
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"own": 0o700, "everybodys": 0o755, "there": 0o755}
