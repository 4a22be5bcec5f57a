import time
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from jobs.inputs import manifest
from jobs.inputs.manifest import Photo
from jobs.run.context import Context
from tests.support import MakeContext
from udfs import lake
from udfs.errors import InputError

NONE: Context = None  # type: ignore[assignment]  # a CSV needs no Spark


def read(folder: Path, text: str) -> list[Photo]:
    (folder / "people.csv").write_text(text, encoding="utf-8")
    return manifest.read(NONE, str(folder / "people.csv"))


def test_relative_and_absolute_names(tmp_path: Path) -> None:
    found = read(tmp_path, "person_id,uri\nb,s3://lake/b.jpg\na,a b/ü #1.jpg\nc,/data/c.jpg\n")
    assert [photo.uri for photo in found] == [
        f"file://{tmp_path}/a%20b/%C3%BC%20%231.jpg",
        "s3://lake/b.jpg",
        "file:///data/c.jpg",
    ]
    assert found[0].name == "a"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("person_id\na\n", "no column uri"),
        ("person_id,uri,colour\na,b,c\n", "unknown column colour"),
        ("person_id,uri\na,b\n,c\n", "line 3: person_id and uri must not be empty"),
        ("person_id,uri\na\n", "line 2: has another number of fields"),
        ("person_id,uri\na,b,c\n", "line 2: has another number of fields"),
        ("person_id,uri,valid_from\na,b,tomorrow\n", "line 2: valid_from 'tomorrow' is not a date"),
        ("person_id,uri,valid_from,valid_to\na,b,2026-02-01,2026-01-01\n", "valid_from is after valid_to"),
        ('"person_id"x,uri\na,b\n', "line 1: .*; correct its quotes"),
        ('person_id,uri\n"a"x,b\n', "line 2: .*; correct its quotes"),
        ("person_id,uri,name\na,b,A\na,b,B\n", "has two rows that differ"),
        ('person_id,uri\n"a,b\n', "line"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_photos_beside_the_folders_are_said(tmp_path: Path) -> None:
    (tmp_path / "alone.jpg").touch()
    with pytest.raises(InputError, match="each person needs a folder"):
        manifest.read(NONE, str(tmp_path))


@pytest.mark.parametrize("store", ["s3://lake", "gs://lake", "abfs://box@account", "hdfs://name:8020"])
def test_names_relative_to_a_manifest_in_a_store(monkeypatch: pytest.MonkeyPatch, store: str) -> None:
    text = b"person_id,uri\na,a b.jpg\nb,./b/../c.jpg\nc,../c.jpg\nd,../../../d.jpg\n"
    monkeypatch.setattr(lake, "read_anything", lambda uri: text)
    monkeypatch.setattr(lake, "list_directory", lambda uri: lake.Listing([], []))
    found = manifest.read(NONE, f"{store}/in ner/people.csv")
    assert [photo.uri for photo in found] == [
        f"{store}/in%20ner/a%20b.jpg",
        f"{store}/in%20ner/c.jpg",
        f"{store}/c.jpg",
        f"{store}/d.jpg",
    ]


PEOPLE = {"person_id": ["b", "a"], "uri": ["photos/ü.jpg", "/data/a.jpg"], "labels": [["x"], None]}


def people(**columns: object) -> pa.Table:
    return pa.table(PEOPLE | columns)


def whole(folder: Path, valid_from: date | None = None) -> list[Photo]:
    return [
        Photo("a", "file:///data/a.jpg", "a", (), valid_from),
        Photo("b", f"file://{folder}/photos/%C3%BC.jpg".replace(" ", "%20"), "b", ("x",), valid_from),
    ]


def test_a_parquet_manifest(tmp_path: Path) -> None:
    folder = tmp_path / "our people"
    folder.mkdir()
    pq.write_table(people(), folder / "people.parquet")
    assert manifest.read(NONE, str(folder / "people.parquet")) == whole(folder)
    spark_writes = folder / "several.parquet"
    spark_writes.mkdir()
    for at in range(2):
        pq.write_table(people().slice(at, 1), spark_writes / f"part-{at}.parquet")
    (spark_writes / "_SUCCESS").touch()
    assert manifest.read(NONE, str(spark_writes)) == whole(folder)
    assert manifest.read(NONE, f"{spark_writes}/") == whole(folder)


def test_a_delta_manifest(
    spark: SparkSession, make_context: MakeContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    folder = tmp_path / "our people"
    rows = people(valid_from=pa.array([datetime(2026, 1, 31, tzinfo=UTC)] * 2))
    spark.createDataFrame(rows).write.format("delta").save(str(folder / "list"))
    try:
        for typed in (str(folder / "list"), f"file://{folder}/list/".replace(" ", "%20")):
            assert manifest.read(make_context(), typed) == whole(folder, date(2026, 1, 31))
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("values", "taken"),
    [
        (pa.array([date(2026, 1, 31)] * 2), True),
        (pa.array([datetime(2026, 1, 31, tzinfo=UTC)] * 2), True),
        (pa.array(["2026-01-31"] * 2), True),
        (pa.array([datetime(2026, 1, 31, 12, tzinfo=UTC)] * 2), False),
    ],
)
def test_dates_of_a_parquet_manifest(tmp_path: Path, values: pa.Array, taken: bool) -> None:
    path = tmp_path / "people.parquet"
    pq.write_table(people(valid_from=values), path)
    if taken:
        assert manifest.read(NONE, str(path)) == whole(tmp_path, date(2026, 1, 31))
    else:
        with pytest.raises(InputError, match=r"row 1: valid_from .* has a time of day"):
            manifest.read(NONE, str(path))


@pytest.mark.parametrize("at", [4, -12])
def test_a_damaged_parquet(tmp_path: Path, at: int) -> None:
    pq.write_table(people(), tmp_path / "people.parquet")
    content = bytearray((tmp_path / "people.parquet").read_bytes())
    content[at : at + 4] = b"\xff" * 4
    (tmp_path / "people.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"people.parquet: is not a whole Parquet file"):
        manifest.read(NONE, str(tmp_path / "people.parquet"))


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "people.parquet").write_bytes(b"just words")
    with pytest.raises(InputError, match=r"people.parquet: is not a whole Parquet file"):
        manifest.read(NONE, str(tmp_path / "people.parquet"))
