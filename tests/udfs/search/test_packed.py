"""Packed galleries: what is opened is what was written, or it is noticed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.udfs.search.test_paths import gallery_of, random_unit
from udfs.search.index import PATHS, Index
from udfs.search.packed import DamagedError, Packed, Part
from udfs.search.samples import SampleMatrix


@pytest.fixture
def gallery() -> SampleMatrix:
    return gallery_of(random_unit(1, 1003, 96), np.arange(1003) // 3)


def test_what_is_opened_finds_what_was_packed(gallery: SampleMatrix, tmp_path: Path) -> None:
    part = Part.save(gallery, tmp_path / "part")
    part.check(tmp_path / "part")
    opened = part.load(tmp_path / "part")
    queries = random_unit(2, 50, 96)
    for path in PATHS:
        if path.works(96):
            found = Index([opened], path).nearest(queries, 5, -1.0)
            assert found.rows() == Index([gallery], path).nearest(queries, 5, -1.0).rows()
    assert (part.rows, part.first_person) == (1003, "p000000")
    assert part.size == sum(file.stat().st_size for file in (tmp_path / "part").iterdir())


def test_an_opened_part_takes_no_memory_of_its_own(gallery: SampleMatrix, tmp_path: Path) -> None:
    opened = Part.save(gallery, tmp_path / "part").load(tmp_path / "part")
    for array in (opened.vectors, opened.panels, opened.scales, opened.person_of):
        assert isinstance(array, np.memmap)
    assert opened.panels.ctypes.data % 64 == 0  # the kernel loads whole cache lines


@pytest.mark.parametrize("name", ["vectors.npy", "panels.npy", "scales.npy", "person_of.npy", "names.arrow"])
def test_damage_is_noticed(gallery: SampleMatrix, tmp_path: Path, name: str) -> None:
    part = Part.save(gallery, tmp_path / "part")
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
    packed = Packed("file:///somewhere", (Part.save(gallery, tmp_path / "part"),))
    content = packed.to_json()
    assert Packed.from_json(packed.uri, content) == packed  # to the last bit of its bounds
    assert (packed.rows, packed.size) == (1003, packed.parts[0].size)
    assert Packed.from_json(packed.uri, content[:-9]) is None
    assert Packed.from_json(packed.uri, content.replace(b'"revision": 1', b'"revision": 0')) is None
    assert replace(packed, parts=()).size == 0
