"""What is written is for its owner alone, and what was there keeps its mode."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from udfs.private import make_folder, write_file


@pytest.fixture(autouse=True)
def lenient() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_new_files_and_folders(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    write_file(tmp_path / "a" / "b" / "page.html", b"x")
    assert [mode(tmp_path / name) for name in (".", "a", "a/b", "a/b/page.html")] == [0o755, 0o700, 0o700, 0o600]


def test_unless_told_otherwise(tmp_path: Path) -> None:
    write_file(tmp_path / "a" / "page.html", b"x", private=False)
    assert [mode(tmp_path / name) for name in ("a", "a/page.html")] == [0o755, 0o644]


@pytest.mark.parametrize("private", [True, False])
def test_what_was_there_keeps_its_mode(tmp_path: Path, private: bool) -> None:
    folder, page = tmp_path / "shown", tmp_path / "shown" / "page.html"
    folder.mkdir(mode=0o750)
    page.write_bytes(b"the old page, which is longer")
    page.chmod(0o644)
    write_file(page, b"new", private=private)
    make_folder(folder, private=private)
    assert (mode(folder), mode(page), page.read_bytes()) == (0o750, 0o644, b"new")


def test_a_link_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to("target.html")
    write_file(tmp_path / "link.html", b"x")
    assert (tmp_path / "link.html").is_symlink()
    assert ((tmp_path / "target.html").read_bytes(), mode(tmp_path / "target.html")) == (b"x", 0o600)


def test_devices_and_pipes_are_written_to_as_they_are(tmp_path: Path) -> None:
    before = mode(Path("/dev/null"))
    write_file(Path("/dev/null"), b"x")
    assert (Path("/dev/null").is_char_device(), mode(Path("/dev/null"))) == (True, before)
    os.mkfifo(tmp_path / "pipe", 0o644)
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_file(tmp_path / "pipe", b"x")
    assert os.read(reader, 9) == b"x"
    assert mode(tmp_path / "pipe") == 0o644
    os.close(reader)
