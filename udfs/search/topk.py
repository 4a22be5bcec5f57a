"""The k nearest persons of each query, exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from udfs.search.similarity import fast_error, similarity

Array = np.ndarray


@dataclass(frozen=True)
class Gallery:
    """Samples to search: row i of `vectors` (float32 (m, d), unit length) is sample `samples[i]` of person
    `persons[i]`. Rows stand in the order of person, then sample, so that a person's rows are neighbours.
    """

    vectors: Array
    persons: Array
    samples: Array
    starts: Array

    @classmethod
    def of(cls, vectors: Array, persons: Sequence[str], samples: Sequence[str]) -> "Gallery":
        """Arrange samples that come in any order."""
        by_person = np.lexsort((np.asarray(samples, object), np.asarray(persons, object)))
        persons_sorted = np.asarray(persons, object)[by_person]
        changes = persons_sorted[1:] != persons_sorted[:-1]
        starts = np.flatnonzero(np.concatenate(([True], changes))) if len(persons_sorted) else np.empty(0, np.intp)
        return cls(
            np.ascontiguousarray(vectors[by_person], np.float32),
            persons_sorted,
            np.asarray(samples, object)[by_person],
            starts,
        )

    @property
    def person_of(self) -> Array:
        """intp (m,): which person each row belongs to, counted in order."""
        return np.repeat(np.arange(len(self.starts)), np.diff([*self.starts, len(self.vectors)]))


@dataclass(frozen=True)
class Nearest:
    """Persons near queries, ordered by query, similarity (descending), person. All arrays have one length.

    query: row of the queries. person, sample: who, and which of their samples is nearest (of equally near
    ones the first by name). similarity: float64.
    """

    query: Array
    person: Array
    sample: Array
    similarity: Array


def nearest_persons(queries: Array, gallery: Gallery, k: int, floor: float) -> Nearest:
    """The k persons whose nearest sample is most similar to each query, and at least `floor` similar.

    A fast float32 product filters: everything it can be proven to decide is decided by it. What is left is
    decided by the definition, so that the result depends on the vectors alone.

    queries: float32 (n, d), unit length.
    """
    if not len(queries) or not len(gallery.vectors):
        return Nearest(np.empty(0, np.intp), np.empty(0, object), np.empty(0, object), np.empty(0))
    error = fast_error(queries.shape[1])
    fast = queries @ gallery.vectors.T
    bar = np.full(len(queries), floor - error, np.float64)
    if len(gallery.starts) > k:
        best = np.maximum.reduceat(fast, gallery.starts, axis=1)
        kth = np.partition(best, -k, axis=1)[:, -k].astype(np.float64)
        # The k best persons are each at least kth - error similar; whoever joins them is so too.
        bar = np.maximum(bar, kth - 2 * error)
    query, row = np.nonzero(fast >= bar[:, None])
    exact = similarity(queries[query], gallery.vectors[row])
    return _best(query, row, exact, gallery, k, floor)


def _best(query: Array, row: Array, exact: Array, gallery: Gallery, k: int, floor: float) -> Nearest:
    kept = exact >= floor
    query, row, exact = query[kept], row[kept], exact[kept]
    person = gallery.person_of[row]
    # Rows stand in the order of person and sample, so a row's number breaks ties as the names do.
    order = np.lexsort((row, -exact, person, query))
    query, row, exact, person = query[order], row[order], exact[order], person[order]
    first = np.ones(len(query), bool)
    first[1:] = (query[1:] != query[:-1]) | (person[1:] != person[:-1])
    query, row, exact, person = query[first], row[first], exact[first], person[first]
    order = np.lexsort((person, -exact, query))
    query, row, exact = query[order], row[order], exact[order]
    rank = np.arange(len(query)) - np.searchsorted(query, query)
    top = rank < k
    query, row, exact = query[top], row[top], exact[top]
    return Nearest(query, gallery.persons[row], gallery.samples[row], exact)


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
        exact = similarity(part[i], right[j])
        kept = exact >= floor
        found.append((start + i[kept], j[kept], exact[kept]))
    i, j, exact = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return i, j, exact
