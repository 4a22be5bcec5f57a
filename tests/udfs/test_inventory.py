"""Files to rows of the inventory."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from udfs import inventory, lake
from udfs.inventory import FILE, FOLDER, describe, list_folders
from udfs.template import Template

DAY_US = 86_400_000_000


def folders(*rows: tuple[str, bool]) -> Iterator[pa.RecordBatch]:
    return iter([pa.RecordBatch.from_pylist([dict(zip(FOLDER.names, row, strict=True)) for row in rows], FOLDER)])


def test_a_folder_is_listed_directly_or_at_any_depth(tmp_path: Path) -> None:
    for name in ("a.jpg", "deep/b.jpg", "deep/deeper/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    listed = list(list_folders(folders((f"file://{tmp_path}", False), (f"file://{tmp_path}/deep", True))))
    found = [row["uri"].removeprefix(f"file://{tmp_path}/") for batch in listed for row in batch.to_pylist()]
    assert sorted(found) == ["a.jpg", "deep/b.jpg", "deep/deeper/c.jpg"]


def test_what_cannot_be_listed_is_a_row_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.jpg", "z.jpg"):
        (tmp_path / "deep" / name).touch()
    (tmp_path / "deep" / "loop").symlink_to(tmp_path)
    listed = list_folders(folders((f"file://{tmp_path}/deep", True)))
    described = [row for batch in describe(Template("file:///"))(listed) for row in batch.to_pylist()]
    *files, problem = sorted(described, key=lambda row: row["problem"] or "")
    assert sorted(row["uri"].rpartition("/")[2] for row in files) == ["a.jpg", "z.jpg"]
    assert all(row["run_date"] for row in files)
    assert problem["run_date"] is None
    assert "its own parent" in problem["problem"]


@pytest.mark.parametrize("at_any_depth", [False, True])
def test_of_a_folder_without_end_some_files_are_held_at_a_time(
    monkeypatch: pytest.MonkeyPatch, at_any_depth: bool
) -> None:
    """What has been read of a folder is passed on before the rest is read."""
    monkeypatch.setattr(inventory, "_ROWS", 10)
    read = []

    def entries(uri: str) -> Iterator[tuple[str, object]]:
        while True:
            read.append(uri)
            yield f"{uri}/{len(read)}", lambda: lake.File(f"{uri}/{len(read)}", 0, 0)

    monkeypatch.setattr(lake, "_entries", entries)
    batches = list_folders(folders(("file:///endless", at_any_depth)))
    assert [next(batches).num_rows for _ in range(3)] == [10] * 3
    assert len(read) <= 31


@pytest.mark.parametrize(
    ("modified_us", "run_date"),
    [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (20484 * DAY_US - 1, "2026-01-30"),
        (20484 * DAY_US, "2026-01-31"),
        (2**63 - 1, "9999-12-31"),
        (-(2**63), "0001-01-01"),
    ],
)
def test_the_date_of_modification(modified_us: int, run_date: str) -> None:
    file = {"uri": "file:///a.jpg", "size": 1, "modified_us": modified_us, "regular": True}
    batch = pa.RecordBatch.from_pylist([file], schema=FILE)
    ((row,),) = [rows.to_pylist() for rows in describe(Template("file:///"))(iter([batch]))]
    assert (row["run_date"], row["modified_us"]) == (run_date, modified_us)
