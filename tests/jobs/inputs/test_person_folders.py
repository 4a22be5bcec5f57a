"""Folders of persons, some of which cannot be listed."""

import os
from pathlib import Path

import pytest

from jobs.inputs import person_folders
from tests.support import as_nobody, put_out_of_reach
from udfs.errors import InputError


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """Photos as PERSON/NAME, ids of persons that could not be listed, and why."""
    folders = person_folders.read(f"file://{folder}")
    photos = sorted(f"{person}/{uri.rpartition('/')[2]}" for person, uri in folders.photos)
    return photos, folders.unlisted, [problem.removeprefix(f"file://{folder}/") for problem in folders.problems]


def test_the_others_are_listed(tmp_path: Path) -> None:
    put(tmp_path, "anna/a.jpg", "bo/b.jpg", "bo/old/c.jpg", "cy/d.jpg")
    (tmp_path / "bo" / "old" / "all").symlink_to(tmp_path)
    (tmp_path / "bo" / "up").symlink_to("..")
    (tmp_path / "dan").symlink_to("/a/disk/that/is/away")
    put_out_of_reach(tmp_path / "cy")
    photos, unlisted, problems = found(tmp_path)
    assert photos == ["anna/a.jpg", "bo/b.jpg", "bo/c.jpg", "cy/d.jpg"]
    assert unlisted == ["bo", "cy", "dan"]
    assert [problem.partition(": ")[0][:10] for problem in problems] == ["bo/old/all", "bo/up", "cy/xxxxxxx", "dan"]
    assert "mount what it leads to" in problems[-1]


def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    put(tmp_path, "anna/a.jpg", "bo/b.jpg")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "bo").chmod(0)
    said = as_nobody(lambda: found(tmp_path))
    assert said.startswith(
        "(['anna/a.jpg'], ['bo'], ['bo: cannot be listed: Permission denied; check the name, and that"
    )


def test_the_folder_of_all_must_be_readable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be listed"):
        person_folders.read(f"file://{tmp_path}/away")


@pytest.mark.parametrize("name", ["people.xlsx", "people.json", "people"])
def test_a_file_of_another_kind(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    with pytest.raises(InputError, match=rf"{name}: is a file of another kind.*save a spreadsheet as `CSV UTF-8`"):
        person_folders.read(f"file://{tmp_path}/{name}")
