"""Where a job writes what a person has asked for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.run import outputs
from tests.support import MakeContext
from udfs.errors import InputError


@pytest.mark.parametrize(("change", "modes"), [((), (0o700, 0o600)), (("files.private=false",), (0o755, 0o644))])
def test_a_page_is_for_whoever_asked(
    make_context: MakeContext, tmp_path: Path, change: tuple[str, ...], modes: tuple[int, int]
) -> None:
    before = os.umask(0o022)
    try:
        page = outputs.written(make_context("t", *change), "<p>é", tmp_path / "new" / "page.html")
    finally:
        os.umask(before)
    assert page.read_text("utf-8") == "<p>é"
    assert (page.parent.stat().st_mode & 0o777, page.stat().st_mode & 0o777) == modes


def onto_a_folder(folder: Path) -> Path:
    (folder / "taken").mkdir()
    return folder / "taken"


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("x")
    return folder / "file" / "page.html"


def links_in_a_circle(folder: Path) -> Path:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    return folder / "a"


@pytest.mark.parametrize("place", [onto_a_folder, below_a_file, links_in_a_circle, lambda folder: folder / ("x" * 300)])
def test_where_nothing_can_be_written_is_said(
    make_context: MakeContext, tmp_path: Path, place: Callable[[Path], Path]
) -> None:
    with pytest.raises(InputError, match=r"cannot be written: .*; choose another --output"):
        outputs.write(make_context(), place(tmp_path), "x")


def test_a_full_disk_is_no_wrong_input(make_context: MakeContext) -> None:
    with pytest.raises(OSError, match="No space left"):
        outputs.write(make_context(), Path("/dev/full"), "x")
