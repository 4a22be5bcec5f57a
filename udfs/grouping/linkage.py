"""Average linkage of some thousands of faces."""

import numpy as np

from udfs.search.jit import jit

Array = np.ndarray

_SIDE_BY_SIDE, _AT_ONCE = 128, 4
"""Similarities that are summed at once: so many faces with so many."""


def linked(vectors: Array, threshold: float, items: Array, apart: Array) -> Array:
    """The same as `definition.groups` gives, in about quadratic time.

    vectors: float32 (n, d), unit length, in the order of the faces' ids. items: int64 (n,), faces with the same number
    are one from the start. apart: int64 (pairs, 2), rows that are never in one group, unless they are so from the
    start. Returns: int64 (n,), the number of each face's group, counted in the order of their first faces.
    """
    item = _numbered(items)
    size = np.bincount(item).astype(np.float64)
    sums = np.zeros((len(size), len(size)))
    _add_pairs(np.ascontiguousarray(vectors, np.float32), item, sums)
    if len(apart):
        one, other = item[apart[:, 0]], item[apart[:, 1]]
        sums[one, other] = sums[other, one] = -np.inf
    return _numbered(_joined(sums, size, threshold)[item])


def joined_means(means: Array, sizes: Array, threshold: float, apart: Array) -> Array:
    """The same for groups that there are already: int64 (n,).

    means: float64 (n, d), the mean of each group's vectors, in the order of their first faces. sizes: float64 (n,),
    their faces. apart: int64 (pairs, 2), groups that are never joined.
    """
    sums = np.zeros((len(sizes), len(sizes)))
    _add_means(np.ascontiguousarray(means), sizes, sums)
    if len(apart):
        sums[apart[:, 0], apart[:, 1]] = sums[apart[:, 1], apart[:, 0]] = -np.inf
    return _numbered(_joined(sums, sizes.astype(np.float64), threshold))


def _numbered(labels: Array) -> Array:
    """Labels as numbers in the order in which they first appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


@jit
def _add_pairs(vectors: Array, item: Array, sums: Array) -> None:
    """Add the similarity of each pair of rows to the place of their items. Each is summed in index order, as the
    definition says; many are summed side by side."""
    rows, dimension = vectors.shape
    columns = np.zeros((dimension, _SIDE_BY_SIDE))
    total = np.empty((_AT_ONCE, _SIDE_BY_SIDE))
    for begin in range(0, rows, _SIDE_BY_SIDE):
        width = min(_SIDE_BY_SIDE, rows - begin)
        for other in range(width):
            for component in range(dimension):
                columns[component, other] = vectors[begin + other, component]
        for first in range(0, begin + width, _AT_ONCE):
            ones = min(_AT_ONCE, begin + width - first)
            total[:] = 0.0
            for component in range(dimension):
                for one in range(ones):
                    value = np.float64(vectors[first + one, component])
                    for other in range(_SIDE_BY_SIDE):
                        total[one, other] += value * columns[component, other]
            for one in range(ones):
                for other in range(max(0, first + one + 1 - begin), width):
                    left, right = item[first + one], item[begin + other]
                    if left != right:
                        sums[left, right] += total[one, other]
                        sums[right, left] += total[one, other]


@jit
def _add_means(means: Array, sizes: Array, sums: Array) -> None:
    for one in range(len(means)):
        for other in range(one + 1, len(means)):
            total = 0.0
            for component in range(means.shape[1]):
                total += means[one, component] * means[other, component]
            total *= sizes[one] * sizes[other]
            sums[one, other] = sums[other, one] = total


@jit
def _joined(sums: Array, size: Array, threshold: float) -> Array:
    """The first item of the group that each item ends in. sums, size: overwritten."""
    count = len(size)
    first = np.arange(count)
    there = np.ones(count, np.bool_)
    nearest = np.full(count, -1)
    average = np.full(count, -np.inf)
    for row in range(count):
        _look(row, sums, size, there, nearest, average)
    while True:
        one = _foremost(there, average)
        if average[one] < threshold:
            return first
        other = nearest[one]  # after `one`: of equal pairs the one with the first row is foremost
        there[other] = False
        for row in range(count):
            if first[row] == other:
                first[row] = one
            if there[row] and row != one:
                sums[one, row] += sums[other, row]
                sums[row, one] = sums[one, row]
        size[one] += size[other]
        average[other] = -np.inf
        _look(one, sums, size, there, nearest, average)
        for row in range(count):
            if there[row] and row != one:
                _look_again(row, one, other, sums, size, there, nearest, average)


@jit
def _foremost(there: Array, average: Array) -> int:
    """The row whose nearest is nearest of all; of equal ones the first."""
    foremost = 0
    for row in range(len(average)):
        if there[row] and average[row] > average[foremost]:
            foremost = row
    return foremost


@jit
def _look_again(
    row: int, one: int, other: int, sums: Array, size: Array, there: Array, nearest: Array, average: Array
) -> None:
    """Find what is nearest to a row after `other` was joined to `one`."""
    if nearest[row] == one or nearest[row] == other:
        _look(row, sums, size, there, nearest, average)
        return
    now = sums[row, one] / (size[row] * size[one])
    if now > average[row] or (now == average[row] and one < nearest[row]):
        nearest[row], average[row] = one, now


@jit
def _look(row: int, sums: Array, size: Array, there: Array, nearest: Array, average: Array) -> None:
    """Find the group nearest to a row: of equally near ones the first."""
    nearest[row], average[row] = -1, -np.inf
    for other in range(len(size)):
        if there[other] and other != row:
            now = sums[row, other] / (size[row] * size[other])
            if now > average[row]:
                nearest[row], average[row] = other, now
