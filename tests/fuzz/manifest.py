"""Fuzzing of manifests: python -m tests.fuzz.manifest --seconds 600 (make fuzz-manifest).

Any bytes, as a CSV, as a Parquet file or as a list of pairs, must give
rows that keep what is promised of them, or one line that says what is wrong: no crash, no hang, no other exception.
"""

import io
import logging
import tempfile
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pyarrow as pa
import pyarrow.parquet as pq

from jobs.inputs import labelled, manifest, person_ids
from tests.fuzz.running import fuzz
from udfs import lake
from udfs.errors import InputError

_PARQUET = b"PAR1"
_CONTEXT: Any = SimpleNamespace(log=logging.getLogger("fuzz"), job="fuzz")  # files need no Spark


def check(content: bytes, folder: Path) -> set[str]:
    """What became of some bytes: `read`, or what is said to be wrong; raises if that is neither. folder: for files."""
    if content.startswith(_PARQUET):
        file = folder / "people.parquet"
        file.write_bytes(content)
        return {_people(file, False), _people(file, True), _pairs(file)}
    text, csv = folder / "pairs.txt", folder / "people.csv"
    text.write_bytes(content)
    csv.write_bytes(content)
    return {_people(csv, False), _people(csv, True), _pairs(csv), _pairs(text)}


def _people(file: Path, allow_other_columns: bool) -> str:
    try:
        photos = manifest.people(_CONTEXT, str(file), allow_other_columns).photos
    except InputError as error:
        return _one_line(error)
    assert len({(photo.person_id, photo.uri) for photo in photos}) == len(photos)
    for photo in photos:
        assert photo.person_id
        assert photo.name
        assert person_ids.normal("", photo.person_id) == photo.person_id
        _check_uri(photo.uri)
        assert (photo.valid_from or date.min) <= (photo.valid_to or date.max)
        assert all(label.strip() == label != "" for label in photo.labels)
    return "read"


def _pairs(file: Path) -> str:
    try:
        pairs = labelled.read_labelled_pairs(_CONTEXT, str(file), "/images")
    except InputError as error:
        return _one_line(error)
    for pair in pairs:
        _check_uri(pair.left)
        _check_uri(pair.right)
    return "read"


def _check_uri(uri: str) -> None:
    scheme, _, place = uri.partition("://")
    store, _, path = place.partition("/")
    assert scheme in lake.SCHEMES
    assert path.isascii()
    assert "%00" not in uri
    assert store or scheme in ("file", "hdfs", "viewfs")


def _one_line(error: InputError) -> str:
    (line,) = str(error).splitlines()
    return line


def corpus() -> dict[str, bytes]:
    """Manifests as people and programs write them, by name."""
    header = "person_id,uri,name,labels,valid_from,valid_to\n"
    texts = {
        "comma.csv": header + 'anna,a.jpg,Anna,"staff;vip",2026-01-31,2026-12-31\nbo, ../b.jpg ,,,,\n',
        "semicolon.csv": header.replace(",", ";") + "José;s3://lake/a%20b.jpg;;'vip;staff';;\n".replace("'", '"'),
        "tab.csv": header.replace(",", "\t") + "7\tfile:/c.jpg\t\t\t20260131\t \n\t\t\t\t\t\n",
        "said.csv": "\ufeffsep=|\r\nPerson_ID| URI |colour\r\nanna|hdfs://name:8020/a.jpg|red\r\n",
        "quotes.csv": 'person_id,uri\n"a ""b""","c\nd.jpg"\n',
        "far.csv": "person_id,uri\na,https://host/b.jpg\n",
        "pairs.csv": "left,right,mated,left_person,right_person,fold\na.jpg,b.jpg,true,x,x,1\n",
        "lfw.txt": "1\t1\nAnna\t1\t2\nAnna\t1\tBo\t1\n",
    }
    files = {name: text.encode() for name, text in texts.items()}
    files["utf16.csv"] = texts["comma.csv"].encode("utf-16")
    tables = {
        "texts.parquet": {"person_id": ["a", "b"], "uri": ["a.jpg", "/b.jpg"], "labels": [["x"], None]},
        "numbers.parquet": {"person_id": [1.0, 2.0], "uri": [b"a.jpg", b"b.jpg"]},
        "dates.parquet": {"person_id": [1], "uri": ["a"], "valid_from": pa.array([20_000], pa.date32())},
        "times.parquet": {"person_id": [1], "uri": ["a"], "valid_to": pa.array([2**60], pa.timestamp("us", "UTC"))},
        "pairs.parquet": {"left": ["a"], "right": ["b"], "mated": [True], "fold": [1.0]},
    }
    for name, table in tables.items():
        content = io.BytesIO()
        pq.write_table(pa.table(table), content, compression="none")
        files[name] = content.getvalue()
    return files


@click.command(help=__doc__)
@click.option("--seconds", default=600, show_default=True, help="How long.")
def main(seconds: int) -> None:
    with tempfile.TemporaryDirectory() as files:
        work = partial(check, folder=Path(files))
        fuzz(work, corpus(), seconds=seconds, most_bytes=8192, memory_mib=2048)


if __name__ == "__main__":
    main()
