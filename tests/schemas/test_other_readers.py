"""Every table is read by delta-rs and by polars as Spark reads it, after each way of writing."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars
import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from schemas.catalog import TABLES
from schemas.store import Tables

DAY = date(2026, 1, 31)

# What a column's constraints ask for, in the first row and in the second, whose nullable columns are null.
CHOSEN: dict[str, dict[str, tuple[object, object]]] = {
    "image_outcomes": {
        "outcome": ("faces", "no_face"),
        "face_count": (1, 0),
        "captured_at_source": ("exif", "path"),
        "precision": ("fp32", "bf16"),
    },
    "seen_photos": {"reason": ("", "too_small"), "embedding": ([0.6, 0.8], None)},
    "enrollments": {"decision": ("accepted", "review"), "reason": ("", "too_small")},
    "identifications": {"decision": ("match", "unknown"), "score": (0.0, None)},
    "reviews": {"decision": ("confirm", "reject")},
    "set_asides": {"decision": ("set_aside", "restored")},
    "investigations": {"kind": ("search", "identify")},
    "cluster_changes": {"change": ("born", "grew")},
    "cluster_decisions": {"decision": ("together", "name"), "name": (None, "the man with the hat")},
    "verifications": {"outcome": ("compared", "left:no_face"), "decision": ("match", None)},
    "thresholds": {"protocol": ("open-set", "pairs"), "method": ("counted", "extrapolated"), "half": ("first", "both")},
    "evaluations": {"protocol": ("open-set", "pairs")},
    "models": {"kind": ("adapter", "detector"), "difference_high": (-0.01, 0.01), "better": (True, False)},
    "runs": {"event": ("started", "finished")},
    "erasures": {"event": ("verified", "begun"), "kind": ("person", "image")},
    "erased": {"kind": ("person", "lake uri")},
}
OFTEN_READ = ("matches", "identifications", "gallery", "runs")
"""By analysts; and with keys, maps and vectors."""
IN_ANY_TABLE = {"embedding": ([0.6, 0.8], [-0.8, 0.6]), "run_date": (DAY, DAY)}


def value(kind: T.DataType, row: int) -> object:
    """Some value of a type, another one for another row; arrays have five elements, as landmarks do."""
    if isinstance(kind, T.ArrayType):
        return [value(kind.elementType, row + at) for at in range(5)]
    if isinstance(kind, T.MapType):
        return {f"key {at}": value(kind.valueType, row + at) for at in range(2)}
    if isinstance(kind, T.StructType):
        return tuple(value(field.dataType, row) for field in kind)
    simple: dict[str, object] = {
        "string": f"größe {row}",
        "boolean": row % 2 == 1,
        "int": row,
        "bigint": row,
        "float": row / 8,
        "double": row / 8,
        "date": date(2026, 1, row),
        "timestamp": datetime(2026, 1, row, 12, 30, 0, 123456, UTC),
    }
    return simple[kind.simpleString()]


def rows(spark: SparkSession, name: str) -> DataFrame:
    """Two rows; in the second all columns are null that can be."""
    schema = TABLES[name].schema
    whole = []
    for row in (1, 2):
        values = [None if field.nullable and row == 2 else value(field.dataType, row) for field in schema]
        chosen = {**IN_ANY_TABLE, **CHOSEN.get(name, {})}
        whole.append(
            tuple(
                chosen[field.name][row - 1] if field.name in chosen else given
                for field, given in zip(schema, values, strict=True)
            )
        )
    made = spark.createDataFrame(whole, schema).coalesce(1)
    return made.withColumn("embedding_digest", F.xxhash64("embedding")) if name == "gallery" else made


def write(tables: Tables, name: str, both: DataFrame) -> None:
    """Write in every way that a table of its kind is written."""
    key = both.select(*TABLES[name].key)
    tables.append(name, both)
    if name in {"images", "contracts", "cohorts", "searches", "erased"}:
        tables.append_new(name, both)
    if name in {"gallery", "enrollments", "searches", "verifications", "expired_dates"}:
        tables.update(name, both.limit(1))
    if name in {"faces", "image_outcomes", "matches", "identifications"}:
        tables.replace(name, both, key.limit(1), [DAY])
        tables.replace(name, both.limit(0), key.limit(1), [DAY])
    if name in {"matches", "identifications", "searches"}:
        tables.overwrite(name, both, F.col("run_date") == F.lit(DAY))
    if name == "gallery":
        tables.update_keeping(name, both.limit(1), "enrolled_at", "t.withdrawn_at IS NULL")
    if name in {"clusters", "cluster_members"}:
        gone = key.limit(1).withColumn(key.columns[1], F.lit("elsewhere"))
        tables.update_and_delete(name, both.limit(1), gone)
    if name == "enrollments":
        tables.update_and_delete(name, both.limit(1), key.limit(1).withColumn("photo_id", F.lit("elsewhere")))
    if name in {"searches", "staged", "searched_samples", "seen_photos"}:
        tables.delete_where(name, F.col(key.columns[0]) == "größe 1")
    if name in {"reviews", "runs", "evaluations"}:
        tables.change(name, both.limit(1))
    if name in {"gallery", "enrollments"}:
        tables.delete_rows(name, key.limit(1))
    if name in {"identifications", "runs", "seen_photos"}:
        tables.forget_history(name, datetime.now(UTC))


def plain(found: object) -> object:
    """A value as all readers have it: a map is a dictionary, a time has its zone."""
    if isinstance(found, Row):
        found = found.asDict()
    if isinstance(found, list) and found and type(found[0]) is tuple:  # a map of delta-rs
        found = dict(found)
    if isinstance(found, list) and found and isinstance(found[0], dict) and set(found[0]) == {"key", "value"}:
        found = {entry["key"]: entry["value"] for entry in found}  # a map of polars
    if isinstance(found, dict):
        return {name: plain(inner) for name, inner in found.items()}
    if isinstance(found, list):
        return [plain(inner) for inner in found]
    return found.astimezone(UTC) if isinstance(found, datetime) else found


def as_written(found: list[object]) -> list[str]:
    return sorted(repr(plain(row)) for row in found)


@pytest.mark.parametrize(
    "name", [name if name in OFTEN_READ else pytest.param(name, marks=pytest.mark.slow) for name in TABLES]
)
def test_every_table_is_read_by_others(spark: SparkSession, tmp_path: Path, name: str) -> None:
    tables = Tables(spark, str(tmp_path / "tables"))
    write(tables, name, rows(spark, name))
    expected = as_written(tables.read(name).collect())
    assert expected
    folder = f"{tables.root}/{name}"
    assert as_written(DeltaTable(folder).to_pyarrow_table().to_pylist()) == expected
    assert as_written(polars.read_delta(folder).to_dicts()) == expected
