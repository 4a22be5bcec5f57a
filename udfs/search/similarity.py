"""Similarity as Rollcall defines it, and a cheap bound on how far a fast product can be from it.

The similarity of two float32 vectors is the sum, in index order and in float64, of the products of their
components (each product is exact in float64). It depends on the two vectors alone: not on the machine, the
number of threads, or what else is in a batch.
"""

import numpy as np

from udfs.errors import InputError

Array = np.ndarray


def similarity(left: Array, right: Array) -> Array:
    """The similarity of each row of `left` with the same row of `right`.

    left, right: float32 (n, d). Returns: float64 (n,).
    """
    total = np.zeros(len(left))
    for component in range(left.shape[1]):
        total += left[:, component].astype(np.float64) * right[:, component].astype(np.float64)
    return total


def fast_error(dimension: int) -> float:
    """How far a float32 inner product of two unit vectors can be from their similarity.

    For any order of summation |fl(q.g) - q.g| <= gamma_d * sum|q_i g_i| <= gamma_d * |q| |g| with
    gamma_d = d u / (1 - d u), u = 2**-24 (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
    section 3.1), fused or not. Lengths may be 1 + 1e-3 (what the tables allow); underflow adds at most
    d * 2**-126; the float64 sum's own error is thousands of times smaller. The result is rounded up.
    """
    unit = dimension * 2.0**-24
    gamma = unit / (1 - unit)
    return 1.01 * (gamma * 1.001**2 + dimension * 2.0**-126)


def refuse_unfit(vectors: Array, ids: list[str]) -> None:
    """Refuse vectors that are not finite and of unit length (within 1e-3), by the id of the first.

    Raises:
        InputError: names the row.
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    unfit = ~(np.abs(lengths - 1.0) < 1e-3)  # true for NaN as well
    if unfit.any():
        first = int(np.flatnonzero(unfit)[0])
        raise InputError(f"the embedding of {ids[first]} has length {lengths[first]:.6g}, not 1; embed it again")
