"""The queries of a search, over one part of a gallery."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

Array = np.ndarray


class Queries(NamedTuple):
    """Vectors whose nearest persons are wanted.

    vectors: float32 (m, d), unit length. floors: float64 (m,), similarities below which no one is wanted.
    left_out: int64 (pairs, 2) in ascending order, rows of query and of sample: pairs that do not count.
    """

    vectors: Array
    floors: Array
    left_out: Array

    def parts(self, size: int) -> Iterator["Queries"]:
        """The same, `size` at a time."""
        for begin in range(0, len(self.vectors), size):
            end = begin + size
            first, last = np.searchsorted(self.left_out[:, 0], [begin, end])
            left_out = self.left_out[first:last] - np.array([begin, 0])
            yield Queries(self.vectors[begin:end], self.floors[begin:end], left_out)
