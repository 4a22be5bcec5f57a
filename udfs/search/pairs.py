"""The similarity of pairs of vectors: of given ones, and of all that are alike."""

import numpy as np

from udfs.search.similarity import fast_error, similarity

Array = np.ndarray


def similarities(vectors: Array, left: Array, right: Array, block: int = 65_536) -> Array:
    """The similarity of rows `left` and `right` of `vectors`, float32 (n, d): float64 (pairs,)."""
    return similarities_of(vectors, vectors, left, right, block)


def similarities_of(vectors: Array, others: Array, left: Array, right: Array, block: int = 65_536) -> Array:
    """The similarity of rows `left` of `vectors` and rows `right` of `others`, float32 (n, d) and (m, d): float64
    (pairs,)."""
    found = np.empty(len(left))
    for start in range(0, len(left), block):
        part = slice(start, start + block)
        found[part] = similarity(vectors[left[part]], others[right[part]])
    return found


def pairs_at_least(left: Array, right: Array, floor: float, block: int = 1024) -> tuple[Array, Array, Array]:
    """All pairs of a row of `left` and a row of `right` that are at least `floor` similar.

    left: float32 (n, d); right: float32 (m, d); unit length.
    Returns: rows of `left`, rows of `right`, similarities (float64), each (pairs,).
    """
    found: list[tuple[Array, Array, Array]] = [(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0))]
    error = fast_error(left.shape[1]) if len(left) else 0.0
    for start in range(0, len(left), block):
        part = left[start : start + block]
        # As float64: a Python float would be rounded to the product's float32, perhaps upwards.
        i, j = np.nonzero(part @ right.T >= np.float64(floor - error))
        exact = similarities_of(part, right, i, j)
        kept = exact >= floor
        found.append((start + i[kept], j[kept], exact[kept]))
    i, j, exact = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return i, j, exact
