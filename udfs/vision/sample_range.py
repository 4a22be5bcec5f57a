"""Samples of more than eight bits, as eight: by the range that the file declares, else by the bits that are used."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray

_DEPTHS = (8, 10, 12, 14, 16, 24, 32, 64)
"""Bits of a sample that cameras and scanners have."""
_HIGHEST = (1.0, 255.0, 65535.0)
"""Values of white that files in floating point have."""
_OVERSHOOT = 4.0
"""Times white that the brightest sample may be: highlights, and what sharpening and scaling add at edges."""
_TOGETHER = 1 << 20  # samples that are converted at once: they are held in other types meanwhile


def eight_bits(samples: Array, bits: int | None = None) -> Array:
    """uint8 of the same shape. bits: of a sample, where the file says so; they may stand in a type with more."""
    if samples.dtype == np.uint8:
        return samples
    return _by_rows(samples, _of_floats(samples) if samples.dtype.kind == "f" else _of_integers(samples, bits))


def _of_integers(samples: Array, bits: int | None) -> Callable[[Array], Array]:
    whole = 8 * samples.dtype.itemsize
    lowest, highest = int(samples.min(initial=0)), int(samples.max(initial=0))
    offset = 0
    if lowest < 0:
        bits = bits or whole
        offset = 1 << (bits - 1)
    elif samples.dtype.kind == "i" and bits == whole:
        bits = None  # one of them is the sign's, which no sample has
    used = (highest + offset).bit_length()
    if bits is None or used > bits:
        without_sign = {whole - 1} if samples.dtype.kind == "i" else set()
        bits = min(depth for depth in {*_DEPTHS, *without_sign} if depth >= used)
    white = (1 << bits) - 1
    if bits < 8:
        return lambda some: (some * 255 // white).astype(np.uint8)
    if offset:
        return lambda some: ((some.astype(np.int64) + offset) >> (bits - 8)).astype(np.uint8)
    return lambda some: (some >> (bits - 8)).astype(np.uint8)


def _of_floats(samples: Array) -> Callable[[Array], Array]:
    highest = max((float(np.max(row, initial=0.0, where=np.isfinite(row))) for row in samples), default=0.0)
    white = next((value for value in _HIGHEST if highest <= _OVERSHOOT * value), highest)

    def convert(some: Array) -> Array:
        finite = np.nan_to_num(some.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        return np.rint(np.clip(finite, 0, white) * np.float32(255 / white)).astype(np.uint8)

    return convert


def _by_rows(samples: Array, convert: Callable[[Array], Array]) -> Array:
    found = np.empty(samples.shape, np.uint8)
    step = max(1, _TOGETHER * len(samples) // max(1, samples.size))
    for begin in range(0, len(samples), step):
        found[begin : begin + step] = convert(samples[begin : begin + step])
    return found
