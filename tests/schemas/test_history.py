"""A table forgets what it was, and is what it is."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession

from schemas.store import Tables
from tests.rows import NOW, frame


@pytest.mark.slow
def test_a_table_forgets_what_it_was(spark: SparkSession, tmp_path: Path) -> None:
    """Whatever its partitions are called: the log and the file system encode their names differently."""
    tables = Tables(spark, str(tmp_path / "odd name %20"))
    names = ["a b", "größe", "50% off/on", "x=y:z"]
    for gallery in names:
        tables.append("seen_photos", photos(spark, gallery, "kept"))
        tables.append("seen_photos", photos(spark, gallery, "gone"))
    tables.delete_rows("seen_photos", spark.createDataFrame([("gone",)], "person_id string"))
    folder = tmp_path / "odd name %20" / "seen_photos"
    orphan = folder / "gallery_name=x" / "part-of-a-killed-run.parquet"
    orphan.parent.mkdir()
    orphan.write_bytes(b"half of it")
    tables.forget_history("seen_photos", datetime(2020, 1, 1, tzinfo=UTC))
    assert orphan.exists()  # somebody may be about to commit it
    tables.forget_history("seen_photos", datetime.now(UTC))
    assert not orphan.exists()
    rows = tables.read("seen_photos").select("gallery_name", "person_id").collect()
    assert sorted(map(tuple, rows)) == sorted((name, "kept") for name in names)
    assert len(list(folder.rglob("part-*.parquet"))) == len(names)
    assert len(list((folder / "_delta_log").glob("0*.json"))) == 1
    tables.append("seen_photos", photos(spark, "a b", "later"))
    assert tables.read("seen_photos").count() == len(names) + 1


def photos(spark: SparkSession, gallery: str, person: str) -> DataFrame:
    row = {"gallery_name": gallery, "contract_id": "c", "settings_id": "s", "policy_id": "p", "person_id": person}
    row |= {"photo_id": "f", "sample_id": person, "reason": "too_small", "detail": ""}
    return frame(spark, "seen_photos", [row])


def test_rows_are_changed_by_keys_that_may_be_null(spark: SparkSession, tmp_path: Path) -> None:
    tables = Tables(spark, str(tmp_path / "odd name %20"))
    of = {"protocol": "pairs", "contract_id": "c", "settings_id": "s", "half": "both", "seed": 0, "metric": "auc"}
    of |= {"grouped_by": "", "group": "", "count": 1, "measured_at": NOW, "at": None, "gallery_size": None}
    rows = [{**of, "evaluation_id": name, "data": "before"} for name in ("e1", "e2")]
    tables.append("evaluations", frame(spark, "evaluations", rows))
    other = [{**rows[0], "data": "after"}, {**rows[0], "evaluation_id": "e3"}]
    tables.change("evaluations", frame(spark, "evaluations", other))
    found = {row.evaluation_id: row.data for row in tables.read("evaluations").collect()}
    assert found == {"e1": "after", "e2": "before"}
