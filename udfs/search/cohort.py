"""How near a face is to strangers, which is what its similarities are normalised by."""

import numpy as np

from udfs.search.similarity import fast_error, similarity

Array = np.ndarray

NEAREST = 20
"""Strangers that count; from 10 to 30 the error rates on LFW's development view are alike (docs/accuracy.md)."""


def cohort_similarity(vectors: Array, cohort: Array, block: int = 1024) -> Array:
    """The mean similarity of each vector to the `NEAREST` most similar of a cohort: float64 (n,).

    A face that resembles many strangers resembles more of a gallery by chance. Its similarities less this are
    comparable with those of other faces: the mean of adaptive score normalisation (Matejka et al. 2017), without its
    division by the spread, which errs more here.

    vectors: float32 (n, d); cohort: float32 (m, d), one face of each of m persons; unit length. The similarities are
    those of the definition and are summed from the highest down, so that the bits depend on the vectors alone.
    """
    nearest = min(NEAREST, len(cohort))
    found = np.empty(len(vectors))
    error = np.float32(2 * fast_error(vectors.shape[1]) + 1e-6)
    for start in range(0, len(vectors), block):
        part = vectors[start : start + block]
        fast = part @ cohort.T
        last = np.partition(fast, -nearest, axis=1)[:, -nearest]
        row, column = np.nonzero(fast >= (last - error)[:, None])
        exact = similarity(part[row], cohort[column])
        falling = exact[np.lexsort((-exact, row))]
        first = np.searchsorted(row, np.arange(len(part)))
        total = np.zeros(len(part))
        for rank in range(nearest):
            total += falling[first + rank]
        found[start : start + block] = total / nearest
    return found
