"""Folders that are kept in a store, and copied to where they are used."""

import os
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
from pyarrow import fs

from udfs import artifacts, lake

REMOTE = "s3://bucket/tables/gallery/_packed"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for s3://bucket, and a cache of its own."""
    root = tmp_path / "bucket"
    root.mkdir()
    held = fs.SubTreeFileSystem(str(root), fs.LocalFileSystem())

    def place(uri: str) -> tuple[fs.FileSystem, str]:
        assert uri.startswith("s3://bucket/")
        return held, uri.removeprefix("s3://bucket/")

    monkeypatch.setattr(lake, "place", place)
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path / "cache"))
    return root


def put(uri: str, **contents: str) -> None:
    with artifacts.new(uri) as path:
        path.mkdir(parents=True)
        for name, content in contents.items():
            (path / name).write_text(content)


def nothing(_: Path) -> None:
    pass


def test_a_file_is_written_and_read(tmp_path: Path) -> None:
    uri = lake.uri_of(str(tmp_path / "a b" / "c%20d.json"))
    assert artifacts.read(uri) is None
    artifacts.write(uri, b"1")
    artifacts.write(uri, b"2")
    assert artifacts.read(uri) == b"2"
    assert [path.name for path in (tmp_path / "a b").iterdir()] == ["c%20d.json"]


def test_a_local_folder_is_used_where_it_is(tmp_path: Path) -> None:
    uri = lake.uri_of(str(tmp_path / "kept" / "one"))
    put(uri, a="1")
    assert artifacts.near(uri, nothing) == tmp_path / "kept" / "one"


def test_a_remote_folder_is_copied_once_and_checked(store: Path, tmp_path: Path) -> None:
    put(f"{REMOTE}/one", a="1", b="2")
    artifacts.write(f"{REMOTE}/one/packed.json", b"{}")
    assert artifacts.read(f"{REMOTE}/one/packed.json") == b"{}"
    checked: list[Path] = []
    path = artifacts.near(f"{REMOTE}/one", checked.append)
    assert path.is_relative_to(tmp_path / "cache")
    assert {file.name: file.read_text() for file in path.iterdir()} == {"a": "1", "b": "2", "packed.json": "{}"}
    artifacts.remove(f"{REMOTE}/one")
    assert artifacts.near(f"{REMOTE}/one", checked.append) == path
    assert len(checked) == 1


def test_a_copy_that_is_wrong_is_not_kept(store: Path, tmp_path: Path) -> None:
    put(f"{REMOTE}/one", a="1")

    def refuse(_: Path) -> None:
        raise ValueError("damaged")

    with pytest.raises(ValueError, match="damaged"):
        artifacts.near(f"{REMOTE}/one", refuse)
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert (artifacts.near(f"{REMOTE}/one", nothing) / "a").read_text() == "1"


def _copy(told: "object") -> None:
    def slow(_: Path) -> None:
        time.sleep(0.3)
        told.put("copied")  # type: ignore[attr-defined]

    told.put((artifacts.near(f"{REMOTE}/one", slow) / "a").read_text())  # type: ignore[attr-defined]


def test_two_processes_copy_once(store: Path) -> None:
    put(f"{REMOTE}/one", a="1")
    fork = get_context("fork")
    told = fork.Queue()
    processes = [fork.Process(target=_copy, args=(told,)) for _ in range(3)]
    for process in processes:
        process.start()
    said = sorted(told.get(timeout=20) for _ in range(4))
    for process in processes:
        process.join()
    assert said == ["1", "1", "1", "copied"]


def test_ages_are_since_the_marker_was_written(store: Path) -> None:
    assert artifacts.ages(REMOTE, "packed.json") == {}
    for name in ("old", "new", "unmarked"):
        put(f"{REMOTE}/{name}", a="1")
    for name in ("old", "new"):
        artifacts.write(f"{REMOTE}/{name}/packed.json", b"{}")
    then = time.time() - 1000
    os.utime(store / "tables/gallery/_packed/old/packed.json", (then, then))
    os.utime(store / "tables/gallery/_packed/unmarked", (then, then))
    ages = artifacts.ages(REMOTE, "packed.json")
    assert {name for name, age in ages.items() if age > 500} == {"old", "unmarked"}
    assert set(ages) == {"old", "new", "unmarked"}
    artifacts.remove(f"{REMOTE}/old")
    artifacts.remove(f"{REMOTE}/old")
    assert set(artifacts.ages(REMOTE, "packed.json")) == {"new", "unmarked"}


def test_copies_that_no_one_asks_for_are_swept(store: Path, tmp_path: Path) -> None:
    for name in ("old/part", "new/part"):
        put(f"{REMOTE}/{name}", a="1")
        artifacts.near(f"{REMOTE}/{name}", nothing)
    old = artifacts.near(f"{REMOTE}/old/part", nothing)
    os.utime(old.parent, (0, 0))
    artifacts.sweep_copies(1000)
    assert not old.exists()
    assert artifacts.near(f"{REMOTE}/new/part", pytest.fail).exists()
    artifacts.near(f"{REMOTE}/old/part", nothing)
    os.utime(old.parent, (0, 0))
    artifacts.near(f"{REMOTE}/old/part", pytest.fail)  # being asked for keeps it
    artifacts.sweep_copies(1000)
    assert old.exists()
