"""Packed galleries: what is opened is what was written, or it is noticed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.udfs.search.test_paths import gallery_of, random_unit
from udfs.search.definition import nearest_persons
from udfs.search.index import PATHS, Index
from udfs.search.packed import DamagedError, Packed, Part
from udfs.search.samples import SampleMatrix


@pytest.fixture
def gallery() -> SampleMatrix:
    return gallery_of(random_unit(1, 1003, 96), np.arange(1003) // 3)


def saved(gallery: SampleMatrix, folder: Path) -> Part:
    return Part.save("packed/part", gallery, pa.array(range(len(gallery.vectors)), pa.int64()), folder)


def test_what_is_opened_finds_what_was_packed(gallery: SampleMatrix, tmp_path: Path) -> None:
    part = saved(gallery, tmp_path / "part")
    part.check(tmp_path / "part")
    opened = part.load(tmp_path / "part")
    queries = random_unit(2, 50, 96)
    for path in PATHS:
        if path.works(96):
            found = Index([opened], path).nearest(queries, 5, -1.0)
            assert found.rows() == Index([gallery], path).nearest(queries, 5, -1.0).rows()
    assert (part.rows, part.first_person) == (1003, "p000000")
    assert part.names(tmp_path / "part")["digest"].to_pylist() == list(range(1003))
    assert part.size == sum(file.stat().st_size for file in (tmp_path / "part").iterdir())


def test_an_opened_part_takes_no_memory_of_its_own(gallery: SampleMatrix, tmp_path: Path) -> None:
    opened = saved(gallery, tmp_path / "part").load(tmp_path / "part")
    for array in (opened.vectors, opened.panels, opened.scales, opened.person_of):
        assert isinstance(array, np.memmap)
    assert opened.panels.ctypes.data % 64 == 0  # the kernel loads whole cache lines


@pytest.mark.parametrize("name", ["vectors.npy", "panels.npy", "scales.npy", "person_of.npy", "names.arrow"])
def test_damage_is_noticed(gallery: SampleMatrix, tmp_path: Path, name: str) -> None:
    part = saved(gallery, tmp_path / "part")
    path = tmp_path / "part" / name
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=f"{name} is not what was written"):
        part.check(tmp_path / "part")
    path.unlink()
    with pytest.raises(DamagedError, match=f"{name} is missing"):
        part.check(tmp_path / "part")


def test_a_description_comes_back_as_it_was(gallery: SampleMatrix, tmp_path: Path) -> None:
    part = replace(saved(gallery, tmp_path / "part"), gone=(2, 1001))
    packed = Packed("file:///somewhere", "packed", (part,), "scope")
    content = packed.to_json()
    assert Packed.from_json(packed.root, packed.name, content) == packed  # to the last bit of its bounds
    assert (packed.rows, packed.size) == (1001, packed.parts[0].size)
    assert Packed.from_json(packed.root, packed.name, content[:-9]) is None
    assert Packed.from_json(packed.root, packed.name, content.replace(b'"revision": 2', b'"revision": 1')) is None
    assert replace(packed, parts=()).size == 0


def test_rows_that_are_gone_are_never_found(gallery: SampleMatrix, tmp_path: Path) -> None:
    gone = tuple(range(0, 1003, 7))
    part = replace(saved(gallery, tmp_path / "part"), gone=gone)
    opened = part.load(tmp_path / "part")
    queries = gallery.vectors[::5]
    stays = np.setdiff1d(np.arange(1003), gone)
    persons, samples = (names.take(stays).to_pylist() for names in (gallery.persons, gallery.samples))
    wanted = nearest_persons(queries, gallery.vectors[stays], persons, samples, 5, -1.0).rows()
    for path in PATHS:
        if path.works(96):
            assert Index([opened], path).nearest(queries, 5, -1.0).rows() == wanted, path.name
    part.check(tmp_path / "part")  # the files are as they were


def test_a_gallery_needs_its_own_folder_and_those_of_its_parts(gallery: SampleMatrix, tmp_path: Path) -> None:
    part = saved(gallery, tmp_path / "part")
    assert Packed("file:///g", "packed", (part,)).folders == ["packed"]
    assert Packed("file:///g", "other", (part,)).folders == ["other", "packed"]
    assert Packed("file:///g", "other", (part,)).place(part) == "file:///g/packed/part"
