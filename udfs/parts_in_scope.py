"""Parts of what is packed, as tasks open them."""

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
    """The parts of a scope, by number, opened when they are first asked for.

    keys: of all, an empty one where no face counts. numbers: of those where some do.
    """

    def __init__(self, root: str, parts: Sequence["PartInScope | None"]) -> None:
        self._root = root
        self._parts = parts
        self._open: dict[int, SampleMatrix] = {}
        self._names: dict[int, pa.RecordBatch] = {}
        self.keys = [part.key if part else "" for part in parts]
        self.numbers = [number for number, part in enumerate(parts) if part]

    def check(self, number: int) -> None:
        """Compare a part with what was written.

        Raises:
            DamagedError, OSError: it is something else, or not there.
        """
        self._of(number).part.check(self._folder(number))

    def matrix(self, number: int) -> "SampleMatrix":
        """Faces that are not in scope are never found in it."""
        if number not in self._open:
            matrix = self._of(number).part.load(self._folder(number))
            self._open[number] = matrix.without(np.flatnonzero(~self._counts(number)))
        return self._open[number]

    def columns(self, number: int) -> pa.RecordBatch:
        """What stands beside the faces."""
        if number not in self._names:
            self._names[number] = self._of(number).part.names(self._folder(number))
        return self._names[number]

    def names(self, number: int, rows: Array) -> Array:
        """The ids of some faces."""
        return self.columns(number)["sample"].take(rows).to_numpy(zero_copy_only=False)

    def near(self, name: str, check: Callable[[Path], None]) -> Path:
        """A folder beside the parts. check: of a copy that is made of it."""
        return artifacts.near(f"{self._root}/{name}", check)

    def _counts(self, number: int) -> Array:
        """Whether each row is in scope: bool (n,)."""
        days = np.array(self._of(number).days, "datetime64[D]")
        return np.isin(self.columns(number)["run_date"].to_numpy(zero_copy_only=False), days)

    def _folder(self, number: int) -> Path:
        part = self._of(number).part
        return self.near(part.name, part.check)

    def _of(self, number: int) -> "PartInScope":
        part = self._parts[number]
        assert part is not None
        return part
