"""Unit vectors in 8-bit integers, and a proven bound on what rounding does to their similarity.

A vector x is rounded to s * c: one float32 scale s = max|x_i| / 127 and int8 codes c. With what was lost
r = x - s c, the rounded similarity of a query q and a sample g is off by at most

    |q.g - (s_q c_q).(s_g c_g)|  <=  |r_q| |s_g c_g| + |q| |r_g|

(q.g = (q~ + r_q).g~ + q.r_g; Cauchy-Schwarz). Integer products are summed exactly, so nothing is added for
their order. `docs/exactness.md` has the whole proof, down to the float32 in which bounds are compared.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from udfs.search.jit import jit

Array = np.ndarray

LARGEST_DIMENSION = 1024
"""Up to here sums of products and offsets stay below 2**24, so that float32 holds each exactly."""

_LANES = 64
_UP = 1 + 1e-12
"""Lengths are sums of at most 1024 squares in float64, each off by a relative 1e-15 or less."""

COMPARED = 1e-6
"""What float32 can add to a bound while it is compared: a few roundings of numbers below 1.3, 8e-8 each."""


@dataclass(frozen=True)
class Quantised:
    """Vectors quantised to 8 bits.

    codes: int8 (n, width), width the dimension rounded up to 64 lanes, zeros at the end. scales: float32 (n,).
    lost, kept, length: float64 (n,): lengths of what was lost, of what was kept, and of the vector, rounded up.
    """

    codes: Array
    scales: Array
    lost: Array
    kept: Array
    length: Array

    @classmethod
    def of(cls, vectors: Array) -> "Quantised":
        """Quantise vectors, float32 (n, d), of length 1 within 1e-3."""
        rows, dimension = vectors.shape
        codes = np.zeros((rows, padded(dimension)), np.int8)
        scales = np.empty(rows, np.float32)
        lost, kept, length = np.empty((3, rows))
        _round(np.ascontiguousarray(vectors, np.float32), codes, scales, lost, kept, length)
        return cls(codes, scales, lost, kept, length)


class Bounds(NamedTuple):
    """How rounded scores bound similarities, a query: with `score` the integer product and s_g a sample's scale,

        similarity <= scale * ((score + offset) * s_g) + slack
        similarity >= the same - 2 * (scale * offset * s_g + slack)

    float32 (m,) each; offsets are whole numbers.
    """

    offset: Array
    scale: Array
    slack: Array

    @classmethod
    def between(cls, queries: Quantised, gallery_kept: float, gallery_loss: float) -> "Bounds":
        """gallery_kept: the longest |s c| of its samples; gallery_loss: the largest |r| / s of its samples."""
        offset = np.ceil(queries.length * gallery_loss * _UP / queries.scales)
        slack = queries.lost * gallery_kept * _UP + COMPARED
        return cls(offset.astype(np.float32), queries.scales, up(slack))


def padded(dimension: int) -> int:
    """The width of codes: the dimension rounded up to whole lanes."""
    return -(-dimension // _LANES) * _LANES


def up(values: Array) -> Array:
    """The smallest float32 that are not below float64 values."""
    rounded = values.astype(np.float32)
    return np.where(rounded < values, np.nextafter(rounded, np.float32(np.inf)), rounded)


@jit
def _round(vectors: Array, codes: Array, scales: Array, lost: Array, kept: Array, length: Array) -> None:
    for row in range(len(vectors)):
        vector = vectors[row]
        most = np.float32(0)
        for value in vector:
            most = max(most, abs(value))
        scale = np.float32(most / np.float32(127))
        scales[row] = scale
        of_lost = of_kept = of_all = 0.0
        for at in range(len(vector)):
            value = np.float64(vector[at])
            code = min(max(np.rint(value / np.float64(scale)), -127.0), 127.0)
            codes[row, at] = np.int8(code)
            rounded = code * np.float64(scale)
            of_lost += (value - rounded) ** 2
            of_kept += rounded**2
            of_all += value**2
        lost[row] = math.sqrt(of_lost) * _UP
        kept[row] = math.sqrt(of_kept) * _UP
        length[row] = math.sqrt(of_all) * _UP
