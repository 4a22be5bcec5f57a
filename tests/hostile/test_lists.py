"""Lists of people and of pairs that claim or unfold to more than there is memory, or name what cannot be seen.

What else may be wrong in a list is in tests/jobs/inputs/test_manifest.py and tests/fuzz/test_manifest.py.
"""

from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.inputs import csv_rows, manifest, parquet_file, table_rows
from jobs.inputs.columns import Columns
from jobs.inputs.manifest import Photo
from jobs.run.context import Context
from udfs import lake
from udfs.errors import InputError

WITHOUT_SPARK = cast(Context, None)


def people(folder: Path, text: str) -> list[Photo]:
    (folder / "people.csv").write_text(text, encoding="utf-8", newline="")
    return manifest.read(WITHOUT_SPARK, str(folder / "people.csv"))


@pytest.mark.parametrize(
    "person",
    ["\x1b[31mann", "ann\x00", "an\u202en", "\u200bann", "an\u2028n", "a\x07nn", "\ufeffann", "a\u2066b\u2069"],
)
def test_ids_that_cannot_be_seen(tmp_path: Path, person: str) -> None:
    with pytest.raises(InputError, match=r"contains U\+.*, which cannot be seen; take it out") as refused:
        people(tmp_path, f'person_id,uri\n"{person}",a.jpg\n')
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    "name", ["=1+1", "@SUM(A1)", "-2", "+49", "\x1b[31mred", "<script>alert(1)</script>", "'; DROP TABLE gallery; --"]
)
def test_names_are_text_as_they_stand(tmp_path: Path, name: str) -> None:
    (photo,) = people(tmp_path, f'person_id,uri,name\np1,a.jpg,"{name}"\n')
    assert photo.name == name


def test_what_a_spreadsheet_keeps_from_computing_is_read_as_it_was(tmp_path: Path) -> None:
    (photo,) = people(tmp_path, "person_id,uri,name\n'=p1,a.jpg,'@ann\n")
    assert (photo.person_id, photo.name) == ("=p1", "@ann")


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("../../../../../../etc/passwd", None),  # a file like any other: its content decides
        ("s3://AKIA:wJalr@lake/a.jpg", "user and password do not belong into a URI"),
        ("s3://lake/a.jpg?X-Amz-Signature=0f3e", r"write \? as %3F"),
        ("https://lake/a.jpg?sig=0f3e", "https:// cannot be read"),
        ("javascript://alert(1)", "javascript:// cannot be read"),
        ("file://host/etc/passwd", "write file:///PATH, with three slashes"),
        ("/a%00.jpg", None),
        ("file:///a%00.jpg", r"contains a NUL \(%00\)"),
    ],
    ids=["parents", "user", "signed", "signed web", "script", "host", "NUL in a name", "NUL"],
)
def test_uris(tmp_path: Path, uri: str, said: str | None) -> None:
    if said is None:
        assert len(people(tmp_path, f"person_id,uri\np1,{uri}\n")) == 1
        return
    with pytest.raises(InputError, match=said) as refused:
        people(tmp_path, f"person_id,uri\np1,{uri}\n")
    assert not any(secret in str(refused.value) for secret in ("wJalr", "0f3e"))


COLUMNS = Columns({"person_id", "uri"}, {"labels"}, "refused")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"person_id,uri\n" + b"a" * 10_000_000 + b",b\n", "line 2: field larger than field limit"),
        (b"," * 1_000_000 + b"\n", "has no column person_id, uri"),
        (b'person_id,uri\n"' + b"a\n" * 100, "a quote is opened and never closed"),
        (b"\x1f\x8b\x08" + bytes(100), "is not UTF-8 text"),
        (b"person_id,uri,\x1b[31m\nx,y,z\n", "unknown column"),
    ],
    ids=["a field of 10 MB", "a million columns", "a quote without end", "gzip", "a header that steers"],
)
def test_csv(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(InputError, match=said):
        csv_rows.read(lake.uri_of(str(tmp_path / "a.csv")), COLUMNS)


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom"])
@pytest.mark.parametrize("end", ["csv", "parquet"])
def test_a_list_without_end(tmp_path: Path, device: str, end: str) -> None:
    (tmp_path / f"a.{end}").symlink_to(device)
    with pytest.raises(InputError, match="is a device; name a file"):
        lake.read_anything(str(tmp_path / f"a.{end}"))


def repeated(text: str, rows: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))


def labels_of(text: str, rows: int) -> pa.Array:
    return pa.ListArray.from_arrays(
        pa.array(np.arange(rows + 1, dtype=np.int32)), repeated(text, rows).cast(pa.string())
    )


def from_parquet(folder: Path, **columns: pa.Array) -> table_rows.Rows:
    path = folder / "a.parquet"
    pq.write_table(pa.table(columns), path, use_dictionary=True)
    assert path.stat().st_size < 3_000_000
    return table_rows.from_parquet(lake.uri_of(str(path)), COLUMNS)


def test_a_text_of_a_megabyte_in_each_of_half_a_million_rows(tmp_path: Path) -> None:
    ids = repeated("p1", 500_000)
    with pytest.raises(InputError, match=r"unfolds to 500,00\d,000,000 bytes, which is more than a list can have"):
        from_parquet(tmp_path, person_id=ids, uri=repeated("x" * 1_000_000, 500_000))


def test_the_same_in_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_file, "_BYTES", 10_000_000)
    ids = repeated("p1", 200)
    with pytest.raises(InputError, match=r"unfolds to 20,0.* bytes"):
        from_parquet(tmp_path, person_id=ids, uri=ids, labels=labels_of("x" * 100_000, 200))


def test_hundred_million_rows_in_half_a_megabyte(tmp_path: Path) -> None:
    rows = repeated("p1", 20_000_000)
    with pytest.raises(InputError, match=r"says that it has 20,000,000 rows in \d+,\d+ bytes"):
        from_parquet(tmp_path, person_id=rows, uri=rows)


def test_zeros_in_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is compressed to a thousandth: what it says of itself is looked at before it is unfolded."""
    monkeypatch.setattr(parquet_file, "_BYTES", 10_000_000)
    path = tmp_path / "a.parquet"
    zeros = pa.array(["\0" * 20_000_000])
    pq.write_table(pa.table({"person_id": zeros, "uri": zeros}), path, compression="zstd", use_dictionary=False)
    with pytest.raises(InputError, match=r"unfolds to 40,.* bytes"):
        table_rows.from_parquet(lake.uri_of(str(path)), COLUMNS)


def test_damaged_statistics_of_a_column_do_not_end_the_process() -> None:
    """Found by fuzzing. pyarrow raises nothing there, and aborts, if it is asked for what it knows of the column."""
    file = Path(__file__).with_name("damaged_statistics.parquet")
    with pytest.raises(InputError, match=r"is not a whole Parquet file; write it again, or use a \.csv file"):
        table_rows.from_parquet(lake.uri_of(str(file)), COLUMNS)


def test_a_list_of_many_photos_is_read(tmp_path: Path) -> None:
    count = 10_000
    ids = pa.array([f"p{at // 3}" for at in range(count)])
    uris = pa.array([f"/photos/{at}.jpg" for at in range(count)])
    rows, _ = from_parquet(tmp_path, person_id=ids, uri=uris, labels=labels_of("staff", count))
    assert rows[7][1] == {"person_id": "p2", "uri": "/photos/7.jpg", "labels": ["staff"]}
