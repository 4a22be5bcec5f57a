"""Parts of what is packed, as tasks open them: each is checked when it is first opened."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from udfs import artifacts

if TYPE_CHECKING:
    from udfs.search.packed_faces import PartInScope
    from udfs.search.samples import SampleMatrix

Array = np.ndarray


class PartsInScope:
    """The parts of a scope, by number.

    keys: of all, an empty one where no face counts. numbers: of those where some do. Methods raise DamagedError or
    OSError where a part is not what was written.
    """

    def __init__(self, root: str, parts: Sequence["PartInScope | None"]) -> None:
        self._root = root
        self._parts = parts
        self._open: dict[int, SampleMatrix] = {}
        self._names: dict[int, pa.RecordBatch] = {}
        self.keys = [part.key if part else "" for part in parts]
        self.numbers = [number for number, part in enumerate(parts) if part]

    def matrix(self, number: int) -> "SampleMatrix":
        """Faces that are not in scope are never found in it."""
        if number not in self._open:
            of = self._of(number)
            matrix = of.part.load(self._folder(number))
            outside = np.flatnonzero(~self.in_scope(number))
            self._open[number] = matrix.without(outside)
        return self._open[number]

    def in_scope(self, number: int) -> Array:
        """Whether each row counts: bool (n,)."""
        days = np.array(self._of(number).days, "datetime64[D]")
        return np.isin(self.columns(number)["run_date"].to_numpy(zero_copy_only=False), days)

    def columns(self, number: int) -> pa.RecordBatch:
        """What stands beside the faces."""
        if number not in self._names:
            self._names[number] = self._of(number).part.names(self._folder(number))
        return self._names[number]

    def names(self, number: int, rows: Array) -> Array:
        """The ids of some faces."""
        return self.columns(number)["sample"].take(rows).to_numpy(zero_copy_only=False)

    def near(self, name: str, check: Callable[[Path], None]) -> Path:
        """A folder beside the parts, which is checked."""
        folder = artifacts.near(f"{self._root}/{name}", check)
        check(folder)
        return folder

    def _folder(self, number: int) -> Path:
        part = self._of(number).part
        if number in self._open or number in self._names:
            return artifacts.near(f"{self._root}/{part.name}", part.check)
        return self.near(part.name, part.check)

    def _of(self, number: int) -> "PartInScope":
        part = self._parts[number]
        assert part is not None
        return part
