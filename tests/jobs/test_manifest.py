from pathlib import Path

import pytest

from jobs import manifest
from jobs.manifest import Photo
from jobs.options import Context
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
        ("person_id,uri\na\n", "line 2: not as many fields"),
        ("person_id,uri\na,b,c\n", "line 2: not as many fields"),
        ("person_id,uri,valid_from\na,b,tomorrow\n", "line 2: valid_from 'tomorrow' is no date"),
        ("person_id,uri,valid_from,valid_to\na,b,2026-02-01,2026-01-01\n", "valid_from is after valid_to"),
        ("person_id,uri,name\na,b,A\na,b,B\n", "stands twice and differs"),
        ('person_id,uri\n"a,b\n', "line"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


def test_photos_beside_the_folders_are_said(tmp_path: Path) -> None:
    (tmp_path / "alone.jpg").touch()
    with pytest.raises(InputError, match="a folder a person"):
        manifest.read(NONE, str(tmp_path))
