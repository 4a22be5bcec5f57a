"""Samples of a gallery as they are searched: in the order of their names, and quantised to 8 bits in panels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.search.jit import jit
from udfs.search.quantisation import Quantised, padded

Array = np.ndarray

PANEL = 32
"""Samples that stand side by side: `kernel.cpp` meets them at once."""
_TOGETHER = 4096  # rows that are quantised at once


@dataclass(frozen=True)
class SampleMatrix:
    """Samples to search: row i of `vectors` (float32 (n, d), unit length) is sample `samples[i]` of person
    `persons[i]`. Rows stand in the order of person, then sample, so that row numbers break ties as names do.

    persons, samples: strings (n,). person_of: int32 (n,), which person each row belongs to, counted in the
    order of their names.
    panels: uint8 (panels, width / 4, 32, 4), the codes of 32 rows + 128, four at a time; width is the dimension
    rounded up to 64. scales: float32 (panels * 32,), NaN where a row is only there to fill the last panel, or does not
    count.
    loss: the length of the most that quantisation loses of a sample, in units of its scale. kept: the length of the
    longest quantised sample.
    """

    vectors: Array
    persons: pa.StringArray
    samples: pa.StringArray
    person_of: Array
    panels: Array
    scales: Array
    loss: float
    kept: float

    @classmethod
    def of(cls, vectors: Array, persons: Sequence[str], samples: Sequence[str]) -> "SampleMatrix":
        """Arrange samples that come in any order."""
        names = pa.table({"person": pa.array(persons, pa.string()), "sample": pa.array(samples, pa.string())})
        by_name = pc.sort_indices(names, [("person", "ascending"), ("sample", "ascending")])
        names = names.take(by_name).combine_chunks()
        person, sample = (names[column].combine_chunks() for column in names.column_names)
        changes = pc.not_equal(person[1:], person[:-1]).to_numpy(zero_copy_only=False)
        person_of = np.concatenate(([0], np.cumsum(changes))).astype(np.int32)[: len(person)]
        return cls.in_order(vectors[by_name.to_numpy()], person, sample, person_of)

    @classmethod
    def in_order(
        cls, vectors: Array, persons: pa.StringArray, samples: pa.StringArray, person_of: Array
    ) -> "SampleMatrix":
        """Quantise samples that stand in the order of their names."""
        vectors = np.ascontiguousarray(vectors, np.float32)
        rows, dimension = vectors.shape
        count = -(-rows // PANEL)
        panels = _aligned(count * PANEL * padded(dimension)).reshape(count, padded(dimension) // 4, PANEL, 4)
        scales = np.full(count * PANEL, np.nan, np.float32)
        loss = kept = 0.0
        for begin in range(0, rows, _TOGETHER):
            quantised = Quantised.of(vectors[begin : begin + _TOGETHER])
            _lay_out(quantised.codes.view(np.int32), _words(panels), begin)
            scales[begin : begin + len(quantised.scales)] = quantised.scales
            loss = max(loss, float((quantised.lost / quantised.scales).max()))
            kept = max(kept, float(quantised.kept.max()))
        return cls(vectors, persons, samples, person_of, panels, scales, loss, kept)

    def without(self, rows: Sequence[int] | Array) -> "SampleMatrix":
        """The same samples, of which some are never found."""
        if not len(rows):
            return self
        scales = self.scales.copy()
        scales[np.asarray(rows)] = np.nan  # nothing compares with it
        return replace(self, scales=scales)

    def codes(self, first: int, last: int) -> Array:
        """The codes of a range of rows, int8 (last - first, width)."""
        taken = np.empty((last - first, 4 * self.panels.shape[1]), np.int8)
        _take_out(_words(self.panels), first, taken.view(np.int32))
        return taken


def _aligned(size: int) -> Array:
    """Zeroed bytes that begin at a cache line."""
    raw = np.zeros(size + 64, np.uint8)
    begin = -raw.ctypes.data % 64
    return raw[begin : begin + size]


def _words(panels: Array) -> Array:
    """Four codes at a time: int32 (panels, width / 4, 32)."""
    return panels.view(np.int32).reshape(panels.shape[:3])


_FLIP = np.int32(-0x7F7F7F80)  # 0x80 in each of four bytes: of a signed code it makes code + 128, and back


@jit
def _lay_out(words: Array, panels: Array, first: int) -> None:
    for row in range(len(words)):
        panel, place = divmod(first + row, 32)
        for at in range(words.shape[1]):
            panels[panel, at, place] = words[row, at] ^ _FLIP


@jit
def _take_out(panels: Array, first: int, words: Array) -> None:
    for row in range(len(words)):
        panel, place = divmod(first + row, 32)
        for at in range(words.shape[1]):
            words[row, at] = panels[panel, at, place] ^ _FLIP
