"""Samples of more than eight bits, as eight: by the range that the file declares, else by the bits that are used."""

import numpy as np

Array = np.ndarray

_DEPTHS = (8, 10, 12, 14, 16, 24, 32, 64)
"""Bits of a sample that cameras and scanners have."""
_HIGHEST = (1.0, 255.0, 65535.0)
"""Values of white that files in floating point have."""


def eight_bits(samples: Array, bits: int | None = None) -> Array:
    """uint8 of the same shape. bits: of a sample, where the file says so; they may stand in a type with more."""
    if samples.dtype == np.uint8:
        return samples
    if samples.dtype.kind == "f":
        return _of_floats(samples)
    lowest = int(samples.min(initial=0))
    if lowest < 0:
        bits = bits or 8 * samples.dtype.itemsize
        samples = samples.astype(np.int64) + (1 << (bits - 1))
    elif samples.dtype.kind == "i" and bits == 8 * samples.dtype.itemsize:
        bits = None  # one of them is the sign's, which no sample has
    used = int(samples.max(initial=0)).bit_length()
    if bits is None or used > bits:
        without_sign = {8 * samples.dtype.itemsize - 1} if samples.dtype.kind == "i" else set()
        bits = min(depth for depth in {*_DEPTHS, *without_sign} if depth >= used)
    return (samples >> (bits - 8) if bits >= 8 else samples * 255 // ((1 << bits) - 1)).astype(np.uint8)


def _of_floats(samples: Array) -> Array:
    finite = np.nan_to_num(samples.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    highest = float(finite.max(initial=0.0))
    white = next((value for value in _HIGHEST if highest <= value), highest)
    return np.rint(np.clip(finite, 0, None) * np.float32(255 / white)).astype(np.uint8)
