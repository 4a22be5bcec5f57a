"""Images that are rows of a table: each keeps its own bytes, whatever becomes of the table."""

import hashlib
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from jobs.embed import embed
from jobs.ingest import ingest
from jobs.inputs.image_table import contents
from jobs.run.context import Context
from tests.support import MakeContext
from udfs.errors import InputError

DAY, NEXT_DAY = datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 2, 1, 12, tzinfo=UTC)
Row = tuple[str, datetime, bytes]


def write(context: Context, folder: Path, *rows: Row) -> str:
    columns = "path string, modificationTime timestamp, length bigint, content binary"
    whole = [(path, modified, len(content), content) for path, modified, content in rows]
    context.spark.createDataFrame(whole, columns).write.format("delta").mode("overwrite").save(str(folder))
    return f"delta.`{folder}`"


def outcomes(context: Context) -> dict[tuple[str, date], tuple[str, str | None]]:
    """(path, date) -> outcome and digest; the files of the tests are no images, and are read all the same."""
    rows = context.tables.read("image_outcomes").join(context.tables.read("images"), ["image_id", "run_date"]).collect()
    found = {(row.uri, row.run_date): (row.outcome, row.content_sha256) for row in rows}
    assert len(found) == len(rows)
    return found


def read(content: bytes) -> tuple[str, str]:
    return "rejected:not_an_image", hashlib.sha256(content).hexdigest()


@pytest.mark.slow
def test_versions_of_one_path_keep_their_own_bytes(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context()
    folder = tmp_path / "photos"
    twice = [("store:a", DAY, b"old"), ("store:a", NEXT_DAY, b"new")]
    ingest(context, source_table=write(context, folder, *twice, ("store:b", DAY, b"whole")))
    # One is changed in place before it is read, as a file may be.
    write(context, folder, *twice, ("store:b", NEXT_DAY, b"other"))
    assert embed(context, all_pending=True)["images"] == 3
    assert outcomes(context) == {
        ("store:a", DAY.date()): read(b"old"),
        ("store:a", NEXT_DAY.date()): read(b"new"),
        ("store:b", DAY.date()): ("rejected:gone", None),
    }


@pytest.mark.slow
def test_rows_that_cannot_be_told_apart_are_refused(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context()
    table = write(
        context, tmp_path / "photos", ("store:b", DAY, b"one"), ("store:a", DAY, b"two"), ("store:b", DAY, b"six")
    )
    with pytest.raises(InputError, match=r"2 rows have the same path, length and modificationTime \(store:b\)"):
        ingest(context, source_table=table)
    assert not context.tables.exists("runs")


@pytest.mark.slow
def test_images_of_a_table_that_is_gone_or_ambiguous_stay_pending(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context()
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "c.jpg").write_bytes(b"file")
    ingest(context, source=str(tmp_path / "lake"))
    rows = [("store:a", DAY, b"one"), ("store:b", DAY, b"two")]
    for name in ("dropped", "doubled"):
        ingest(context, source_table=write(context, tmp_path / name, *[(f"{name}/{row[0]}", *row[1:]) for row in rows]))
    shutil.rmtree(tmp_path / "dropped")
    write(context, tmp_path / "doubled", *[("doubled/store:a", DAY, b"one")] * 2, ("doubled/store:b", DAY, b"two"))
    counts = embed(context, all_pending=True)
    assert (counts["images"], counts["left_pending"]) == (1, 4)
    said = "\n".join(context_line for context_line in make_context.said if "stay pending" in context_line)
    assert "embed: 2 images stay pending: delta.`" in said
    assert "dropped`: cannot be opened" in said
    assert "2 rows have the same path, length and modificationTime (doubled/store:a)" in said

    for name in ("dropped", "doubled"):  # put back, and mended
        write(context, tmp_path / name, *[(f"{name}/{row[0]}", *row[1:]) for row in rows])
    counts = embed(context, all_pending=True)
    assert (counts["images"], counts.get("left_pending", 0)) == (4, 0)
    found = outcomes(context)
    assert [found[f"{name}/store:b", DAY.date()] for name in ("dropped", "doubled")] == [read(b"two")] * 2


def test_the_case_of_columns_does_not_count(spark: SparkSession, make_context: MakeContext) -> None:
    """Hive's have no capitals."""
    row = "SELECT 'store:a' path, 3L length, timestamp'2026-01-01' modificationtime, X'00' content"
    spark.sql(row).createOrReplaceTempView("hive")
    spark.sql("SELECT 'store:a' path").createOrReplaceTempView("lacking")
    context = make_context()
    assert contents(context, "hive").columns == ["uri", "size", "modified_us", "content"]
    with pytest.raises(InputError, match="has no column length, modificationTime, content; it needs path"):
        contents(context, "lacking")
