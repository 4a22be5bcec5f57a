"""Groups of which it is not known that they are alone: their faces have more neighbours than the graph keeps, or their
piece of it was cut. They are compared with each other, and joined, until no two are near enough."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from udfs.grouping.components import pieces
from udfs.grouping.linkage import joined_means
from udfs.search.index import Index
from udfs.search.jit import jit
from udfs.search.samples import SampleMatrix

Array = np.ndarray

_WHOLE = 1 << 40
"""Means are sums of whole numbers, so that no order of the faces shows in them: components in units of 2**-40."""


def add_sums(total: Array, vectors: Array, group: Array) -> None:
    """Add vectors to the sums of their groups, exactly.

    total: int64 (groups, d). vectors: float32 (n, d). group: int64 (n,).
    """
    for begin in range(0, len(vectors), 4096):
        some = np.rint(vectors[begin : begin + 4096].astype(np.float64) * _WHOLE).astype(np.int64)
        np.add.at(total, group[begin : begin + 4096], some)


def join(
    sums: Array,
    sizes: Array,
    threshold: float,
    apart: Iterable[tuple[int, int]],
    k: int,
    limit: int,
    threads: int = 1,
) -> Array:
    """The first group of those that each ends in: int64 (n,).

    In rounds: each group is linked to the k nearest by the average of their faces' similarities, if that is at least
    `threshold`; what is linked is cut into pieces of at most `limit`, and in each average linkage goes on.

    sums: int64 (groups, d), as of `add_sums`. sizes: the faces of each. apart: pairs of groups that are never joined.
    """
    group = np.arange(len(sums))
    apart = np.array(sorted({(min(pair), max(pair)) for pair in apart}), np.int64).reshape(-1, 2)
    while True:
        there, now = np.unique(group, return_inverse=True)
        total, count = _joined(sums, now), np.bincount(now, sizes)
        joined = _round(total, count, threshold, _between(now[apart]), k, limit, threads)
        if len(np.unique(joined)) == len(there):
            return group
        group = there[joined[now]]


def _joined(sums: Array, group: Array) -> Array:
    total = np.zeros((group.max(initial=-1) + 1, sums.shape[1]), np.int64)
    np.add.at(total, group, sums)
    return total


def _between(apart: Array) -> Array:
    return np.unique(np.sort(apart, axis=1), axis=0)


def _round(sums: Array, sizes: Array, threshold: float, apart: Array, k: int, limit: int, threads: int) -> Array:
    """The first group of those that each is joined to."""
    means = sums.astype(np.float64) / _WHOLE / sizes[:, None]
    one, other, average = _near(means, threshold, apart, k, threads)
    label, _ = pieces(len(means), one, other, average, limit, np.arange(len(means)))
    joined = np.arange(len(means))
    for members in _by_label(label):
        kept_apart = _within(apart, members)
        found = joined_means(means[members], sizes[members], threshold, kept_apart)
        _, first = np.unique(found, return_index=True)
        joined[members] = members[first][found]
    return joined


def _near(means: Array, threshold: float, apart: Array, k: int, threads: int) -> tuple[Array, Array, Array]:
    """Groups and those near them, with the average similarity of their faces."""
    every = np.arange(len(means))
    length = np.sqrt(_products(means, every, every))
    unit = (means / np.maximum(length, 1e-12)[:, None]).astype(np.float32)
    names = [f"{number:09}" for number in range(len(means))]
    # An average is at most the similarity of directions, which float32 has rounded.
    found = Index([SampleMatrix.of(unit, names, names)]).nearest_rows(unit, k + 1, threshold - 1e-5, threads)
    one, other = found.query.astype(np.int64), found.row.astype(np.int64)
    average = _products(means, one, other)
    near = (one != other) & (average >= threshold)
    one, other, average = one[near], other[near], average[near]
    pair = np.minimum(one, other) * len(means) + np.maximum(one, other)
    free = ~np.isin(pair, apart[:, 0] * len(means) + apart[:, 1])
    return one[free], other[free], average[free]


@jit
def _products(means: Array, one: Array, other: Array) -> Array:
    """The inner product of pairs of rows, summed in index order."""
    total = np.zeros(len(one))
    for pair in range(len(one)):
        for component in range(means.shape[1]):
            total[pair] += means[one[pair], component] * means[other[pair], component]
    return total


def _by_label(label: Array) -> Iterable[Array]:
    order = np.argsort(label, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        if len(members) > 1:
            yield np.sort(members)


def _within(apart: Array, members: Array) -> Array:
    inside = apart[np.isin(apart, members).all(axis=1)]
    return np.searchsorted(members, inside)


def apart_by_image(groups: Iterable[int], images: Iterable[object]) -> set[tuple[int, int]]:
    """The groups that have faces of the same image. groups, images: of each face."""
    of_image = defaultdict(set)
    for group, image in zip(groups, images, strict=True):
        of_image[image].add(group)
    return {(one, other) for some in of_image.values() for one in some for other in some if one < other}
