import logging
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSystem
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
        ('person_id,uri\n"a,b\n', "line 2: a quote is opened and never closed"),
        ('"person_id,uri\na,b\n', "line 1: a quote is opened and never closed"),
        ('"person_id', "line 1: a quote is opened and never closed"),
        ('person_id,uri\n"a\nb",c\n"d,e\n', "line 4: a quote"),
        ("sep=;\nperson_id;uri\na;b\n;c\n", "line 4: person_id and uri must not be empty"),
        ("", "no column person_id, uri"),
        (";;;\n\n", "no column person_id, uri"),
        ("URI,uri,person_id\na,b,c\n", "two columns uri"),
        ("person_id,uri,\na,b,c\n", "line 2: the header has no name for field 3, 'c'"),
        ("person_id,uri\na,b\n,\na,https://host/b.jpg\n", "line 4: uri: 'https://host/b.jpg': https:// cannot be read"),
        ("person_id,uri\na,FTP://host/b.jpg\n", "line 2: uri: .* begins with file://, s3://, .*hdfs://"),
        ("person_id,uri\na,dbfs:/photos/b.jpg\n", "line 2: uri: .* dbfs:/ cannot be read"),
        ("person_id,uri\na,C:\\photos\\b.jpg\n", "line 2: uri: .*cannot be read"),
        ("person_id,uri\na,s3://[lake/b.jpg\n", "line 2: uri: .*is not a URI"),
        ("person_id,uri\na,s3://lake/b.jpg?c\n", "line 2: uri: .*write \\? as %3F"),
        ("person_id,uri\na,b\0.jpg\n", "line 2: uri: .*NUL"),
        ("person_id,uri\na,/b\0.jpg\n", "line 2: uri: .*NUL"),
        ("person_id,uri\na,file:///b%00.jpg\n", "line 2: uri: .*NUL"),
        ("person_id,uri\na,s3:/lake/b.jpg\n", "line 2: uri: 's3:/lake/b.jpg': write it as s3://STORE/PATH"),
        ("person_id,uri\na\0,b\n", "line 2: person_id: .*U\\+0000 \\(a control character\\)"),
        ("person_id,uri\nan\u200bna,b\n", "line 2: person_id: .*ZERO WIDTH SPACE"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


ANNA = Photo("anna", "file:///a.jpg", "Anna", ("staff", "vip"), date(2026, 1, 31))


@pytest.mark.parametrize(
    "text",
    [
        "person_id;uri;name;labels;valid_from\nanna;/a.jpg;Anna;'vip;staff';2026-01-31\n",
        "sep=;\r\nperson_id;uri;name;labels;valid_from\r\nanna;/a.jpg;Anna;'vip;staff';2026-01-31\r\n",
        "'sep=|'\nperson_id|uri|name|labels|valid_from\nanna|/a.jpg|Anna|vip;staff|2026-01-31",
        "person_id\turi\tname\tlabels\tvalid_from\nanna\t/a.jpg\tAnna\tvip;staff\t2026-01-31\n",
        "\ufeffPERSON_ID, Uri ,'Name',Labels,Valid_From\n anna , /a.jpg , 'Anna','vip; staff', 2026-01-31 \n",
        "person_id,uri,name,labels,valid_from,valid_to,,\n,,,,,,,\nanna,/a.jpg,Anna,staff;vip,2026-01-31, ,,\n,\n \n",
        "\n\nvalid_from,labels,name,uri,person_id\r2026-01-31,staff;vip,Anna,file:/a.jpg,anna\r",
    ],
)
def test_a_csv_as_people_write_it(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text.replace("'", '"')) == [ANNA]


def test_other_columns_are_left_out_on_request(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "people.csv").write_text("Notes,person_id,,uri,HR no,Notes\nx,a,y,/a.jpg,17,z\n")
    pq.write_table(people(colour=["red", "blue"]), tmp_path / "people.parquet")
    context: Any = SimpleNamespace(log=logging.getLogger("tests"), job="enroll")
    for name, said in (("people.csv", "Notes, HR no, Notes"), ("people.parquet", "colour")):
        with pytest.raises(InputError, match="--allow-other-columns"):
            manifest.people(context, str(tmp_path / name))
        with caplog.at_level(logging.INFO):
            found = manifest.people(context, str(tmp_path / name), allow_other_columns=True)
        assert {photo.person_id for photo in found.photos} <= {"a", "b"}
        assert caplog.messages[-1].endswith(f"{name}: {said}")


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-16", "iconv -f UTF-16 -t UTF-8"),
        ("utf-16-le", "iconv -f UTF-16LE"),
        ("utf-16-be", "iconv -f UTF-16BE"),
        ("utf-32", "iconv -f UTF-32"),
        ("latin-1", "line 2: is not UTF-8 text; save it as UTF-8: in Excel as `CSV UTF-8`"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, encoding: str, said: str) -> None:
    (tmp_path / "people.csv").write_bytes("person_id,uri\nJosé,a.jpg\n".encode(encoding))
    with pytest.raises(InputError, match="is not UTF-8 text; save it as UTF-8") as refused:
        manifest.read(NONE, str(tmp_path / "people.csv"))
    assert said in str(refused.value)


@pytest.mark.parametrize("scheme", lake.SCHEMES)
def test_stores_that_can_be_read_are_not_refused(tmp_path: Path, scheme: str) -> None:
    host = "" if scheme == "file" else "lake"
    (photo,) = read(tmp_path, f"person_id,uri\na,{scheme}://{host}/b.jpg\n")
    assert photo.uri.endswith(f"://{host}/b.jpg")
    if scheme in ("s3", "s3a"):  # which asks the network for the region, or is s3 by another name
        return
    problem = ""
    try:
        FileSystem.from_uri(f"{scheme}://{host}/b.jpg")
    except (OSError, ValueError) as error:  # hdfs without Hadoop, abfs without an account
        problem = str(error)
    assert "Unrecognized" not in problem


def test_labels_that_look_alike_are_one(tmp_path: Path) -> None:
    labels = [["Jose\u0301 ", " José", None, ""], ["x"]]
    pq.write_table(people(labels=labels), tmp_path / "people.parquet")
    assert {photo.labels for photo in manifest.read(NONE, str(tmp_path / "people.parquet"))} == {("José",), ("x",)}


def test_folders_of_one_person(tmp_path: Path) -> None:
    for name in (" lead", "trail ", "Jose\u0301"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").touch()
    found = manifest.read(NONE, str(tmp_path))
    assert [photo.person_id for photo in found] == ["José", "lead", "trail"]
    assert found[0].uri == f"file://{tmp_path}/Jose%CC%81/a.jpg"  # files keep their names


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["José", "Jose\u0301"], "Jos%C3%A9 and .*Jose%CC%81 are both of the person 'José'"),
        ([" a", "a"], "%20a and .*/a are both of the person 'a'"),
        (["  "], "only spaces"),
        (["a\u202eb"], "RIGHT-TO-LEFT OVERRIDE"),
        (["a\nb"], r"U\+000A \(a control character\)"),
    ],
)
def test_folders_whose_names_are_no_ids(tmp_path: Path, names: list[str], said: str) -> None:
    for name in names:
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=said):
        manifest.read(NONE, str(tmp_path))


def test_photos_beside_the_folders_are_said(tmp_path: Path) -> None:
    (tmp_path / "alone.jpg").touch()
    with pytest.raises(InputError, match="has files and no folder of a person"):
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


def test_a_delta_manifest_as_programs_write_it(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context()
    written = "CAST(1.00 AS DECIMAL(9, 2)) AS PERSON_ID, '/data/a.jpg' AS URI, X'FF' AS content"
    for name, columns in (("good", written), ("far", f"{written}, DATE'+12000-01-01' AS valid_to")):
        context.spark.sql(f"SELECT {columns}").write.format("delta").save(str(tmp_path / name))
    found = manifest.people(context, str(tmp_path / "good"), allow_other_columns=True)
    assert found.photos == [Photo("1", "file:///data/a.jpg", "1")]
    assert make_context.said[-1].endswith("good: content")
    with pytest.raises(InputError, match="unknown column content"):
        manifest.people(context, str(tmp_path / "good"))
    with pytest.raises(InputError, match="row 1: valid_to cannot be read"):
        manifest.people(context, str(tmp_path / "far"), allow_other_columns=True)


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


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (pa.array([1.0, 2.0]), ["1", "2"]),
        (pa.array([1.0, 2.0], pa.float32()), ["1", "2"]),
        (pa.array([Decimal("1.00"), Decimal("20")]), ["1", "20"]),
        (pa.array([7, 2**60]), ["7", "1152921504606846976"]),
        (pa.array([b"abc", "José".encode()]), ["abc", "José"]),
        (pa.array(["007", " 1.0 "]), ["007", "1.0"]),
        (pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
        (
            pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16] * 2, pa.binary(16))),
            [UUID(bytes=b"0" * 16)] * 2,
        ),
    ],
)
def test_ids_of_a_parquet_manifest(tmp_path: Path, values: pa.Array, ids: list[object]) -> None:
    pq.write_table(people(person_id=values, uri=["a", "b"]), tmp_path / "people.parquet")
    found = manifest.read(NONE, str(tmp_path / "people.parquet"))
    assert sorted(photo.person_id for photo in found) == sorted(map(str, ids))
    assert all(photo.name == photo.person_id for photo in found)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (pa.array([1.0, None]), "row 2: person_id and uri must not be empty"),
        (pa.array([1.0, float("nan")]), "row 2: person_id and uri must not be empty"),
        (pa.array([1.0, float("inf")]), "row 2: person_id is inf"),
        (pa.array([1.5, 2.0]), "row 1: person_id is 1.5"),
        (pa.array([1.0, 2.0**53]), "row 2: .* whose last digits are lost"),
        (pa.array([Decimal("1.50"), Decimal("2")]), "row 1: person_id is Decimal"),
        (pa.array([True, False]), "row 1: person_id is True"),
        (pa.array([b"abc", b"\xff"]), "row 2: person_id is b'.xff', which is not text"),
        (pa.array([date(2026, 1, 31)] * 2), "row 1: person_id is datetime.date"),
        (pa.array([["a"], ["b"]]), "row 1: person_id is .'a'."),
        (pa.array(["a", "b\u200d"]), "row 2: person_id: .*ZERO WIDTH JOINER"),
        (pa.array(["a", "\u00a0"]), "row 2: person_id and uri must not be empty"),
    ],
)
def test_what_is_no_id_in_a_parquet_manifest(tmp_path: Path, values: pa.Array, said: str) -> None:
    pq.write_table(people(person_id=values, uri=["a", "b"]), tmp_path / "people.parquet")
    with pytest.raises(InputError, match=said):
        manifest.read(NONE, str(tmp_path / "people.parquet"))


YEAR_12000 = 3_663_000


@pytest.mark.parametrize(
    "values",
    [
        pa.array([0, YEAR_12000], pa.date32()),
        pa.array([0, YEAR_12000 * 86_400], pa.timestamp("s")),
        pa.array([0, -YEAR_12000 * 86_400_000_000], pa.timestamp("us", "UTC")),
        pa.array([0, None], pa.timestamp("us", "Mars/Olympus")),
        pa.Array.from_buffers(pa.string(), 2, [None, pa.py_buffer(bytes(8) + b"\1\0\0\0"), pa.py_buffer(b"\xff")]),
    ],
)
def test_values_that_cannot_be_written(tmp_path: Path, values: pa.Array) -> None:
    pq.write_table(people(valid_from=values), tmp_path / "people.parquet")
    with pytest.raises(InputError, match=r"row [12]: valid_from (cannot be read|'' is not)"):
        manifest.read(NONE, str(tmp_path / "people.parquet"))


def test_the_last_day_there_is_as_spark_writes_it(tmp_path: Path) -> None:
    last = people(valid_to=pa.array([datetime(9999, 12, 31)] * 2, pa.timestamp("us")))
    pq.write_table(last, tmp_path / "people.parquet", use_deprecated_int96_timestamps=True)
    found = manifest.read(NONE, str(tmp_path / "people.parquet"))
    assert {photo.valid_to for photo in found} == {date(9999, 12, 31)}


@pytest.mark.parametrize("end", ["csv", "tsv", "txt", "TXT"])
def test_texts_by_the_ends_of_their_names(tmp_path: Path, end: str) -> None:
    (tmp_path / f"people.{end}").write_text("person_id\turi\nanna\t/a.jpg\n")
    assert manifest.read(NONE, str(tmp_path / f"people.{end}")) == [Photo("anna", "file:///a.jpg", "anna")]


def test_two_columns_of_one_name_in_a_parquet(tmp_path: Path) -> None:
    twice = pa.Table.from_arrays([pa.array(["a"])] * 3, names=["person_id", "uri", "URI"])
    pq.write_table(twice, tmp_path / "people.parquet")
    with pytest.raises(InputError, match="two columns uri"):
        manifest.read(NONE, str(tmp_path / "people.parquet"))


@pytest.mark.parametrize("at", [4, -12])
def test_a_damaged_parquet(tmp_path: Path, at: int) -> None:
    pq.write_table(people(), tmp_path / "people.parquet")
    content = bytearray((tmp_path / "people.parquet").read_bytes())
    content[at : at + 4] = b"\xff" * 4
    (tmp_path / "people.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"people.parquet: is not a whole Parquet file"):
        manifest.read(NONE, str(tmp_path / "people.parquet"))


def test_a_parquet_whose_names_are_damaged(tmp_path: Path) -> None:
    pq.write_table(people(colour=["red", "blue"]), tmp_path / "people.parquet")
    content = (tmp_path / "people.parquet").read_bytes().replace(b"colour", b"col\xffur")
    (tmp_path / "people.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"people.parquet: is not a whole Parquet file"):
        manifest.read(NONE, str(tmp_path / "people.parquet"))


def test_a_file_that_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "people.parquet").write_bytes(b"just words")
    with pytest.raises(InputError, match=r"people.parquet: is not a whole Parquet file"):
        manifest.read(NONE, str(tmp_path / "people.parquet"))
