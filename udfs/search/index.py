"""The k nearest persons of each query, exactly."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.search.candidates import Decided
from udfs.search.compiled import Compiled, CompiledAvx2
from udfs.search.definition import Nearest, nearest_persons
from udfs.search.portable import Portable, PortableFloat
from udfs.search.queries import Queries
from udfs.search.samples import SampleMatrix
from udfs.search.speed import by_speed

Array = np.ndarray

PATHS: tuple[type[Compiled | Portable], ...] = (Compiled, CompiledAvx2, Portable, PortableFloat)
"""All give the same bits."""


class Index:
    """A gallery to search; the path that scans it is chosen once."""

    def __init__(self, parts: Sequence[SampleMatrix], path: type[Compiled | Portable] | None = None) -> None:
        """parts: of one gallery, in any order; all of a person is in one part.

        path: how to scan; the fastest that works here, unless another is named.
        """
        self._parts = [part for part in parts if len(part.vectors)]
        dimension = self._parts[0].vectors.shape[1] if self._parts else 1
        chosen = path or fastest(dimension)
        self._paths = [chosen(part) for part in self._parts]
        self.path = chosen.name

    def nearest(
        self, queries: Array, k: int, floor: float, threads: int = 1, left_out: Sequence[tuple[int, str]] = ()
    ) -> Nearest:
        """The k persons whose nearest sample is most similar to each query, and at least `floor` similar.

        The same as `definition.nearest_persons` gives: 8-bit products with a proven bound rule out nearly all samples;
        what is left is decided by the definition, so that the result depends on the vectors alone.

        queries: float32 (m, d), unit length. left_out: pairs of a query and a sample that do not count.
        """
        queries = np.ascontiguousarray(queries, np.float32)
        best = _Best.none()
        if len(queries):
            for number, (part, path) in enumerate(zip(self._parts, self._paths, strict=True)):
                # Whoever is below the k-th person of the parts before cannot be among the nearest.
                floors = best.floors(len(queries), k, floor)
                asked = Queries(queries, floors, _rows_left_out(part, left_out))
                best = best.with_part(number, path.search(asked, k, threads), len(queries), k)
        return _ordered(self._named(best), k) if len(self._parts) > 1 else self._named(best)

    def _named(self, best: "_Best") -> Nearest:
        person, sample = np.empty((2, len(best.row)), object)
        for number, part in enumerate(self._parts):
            here = best.part == number
            rows = best.row[here]
            person[here] = part.persons.take(rows).to_numpy(zero_copy_only=False)
            sample[here] = part.samples.take(rows).to_numpy(zero_copy_only=False)
        return Nearest(best.query, person, sample, best.similarity)


def _rows_left_out(part: SampleMatrix, left_out: Sequence[tuple[int, str]]) -> Array:
    if not left_out:
        return np.empty((0, 2), np.int64)
    queries, samples = zip(*left_out, strict=True)
    rows = pc.index_in(pa.array(samples, pa.string()), part.samples).fill_null(-1).to_numpy(zero_copy_only=False)
    pairs = np.stack([np.asarray(queries, np.int64), rows.astype(np.int64)], axis=1)
    pairs = pairs[rows >= 0]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _ordered(found: Nearest, k: int) -> Nearest:
    """The k nearest persons of each query, where those of several parts are as near: these are in no order yet."""
    columns = {"query": found.query, "similarity": found.similarity, "person": pa.array(found.person, pa.string())}
    order = pc.sort_indices(
        pa.table(columns), [("query", "ascending"), ("similarity", "descending"), ("person", "ascending")]
    ).to_numpy()
    order = order[_rank(found.query) < k]  # the queries stand as before
    return Nearest(*(column[order] for column in (found.query, found.person, found.sample, found.similarity)))


def _rank(query: Array) -> Array:
    """The place of each among those of its query, from 0."""
    return np.arange(len(query)) - np.searchsorted(query, query)


class _Best(NamedTuple):
    """The nearest so far, and whoever is as near as the last of them: `row` of `part`; in the order of query and
    similarity (descending)."""

    query: Array
    part: Array
    row: Array
    similarity: Array

    @classmethod
    def none(cls) -> "_Best":
        return cls(np.empty(0, np.intp), np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))

    def floors(self, queries: int, k: int, floor: float) -> Array:
        """The similarity that another person must reach to be among the k nearest of each query."""
        floors = np.full(queries, floor, np.float64)
        last = _rank(self.query) == k - 1
        floors[self.query[last]] = self.similarity[last]
        return floors

    def with_part(self, number: int, found: Iterable[Decided], queries: int, k: int) -> "_Best":
        begun, parts = 0, [self]
        for decided in found:
            query, rank = np.nonzero(np.arange(k) < decided.found[:, None])
            row = decided.sample[query, rank]
            parts.append(_Best(begun + query, np.full_like(row, number), row, decided.similarity[query, rank]))
            begun += len(decided.found)
        joined = _Best(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        ordered = joined._taken(np.lexsort((joined.row, joined.part, -joined.similarity, joined.query)))
        return ordered._taken(ordered.similarity >= ordered.floors(queries, k, -np.inf)[ordered.query])

    def _taken(self, which: Array) -> "_Best":
        return _Best(*(column[which] for column in self))


@cache
def fastest(dimension: int) -> type[Compiled | Portable]:
    """The fastest path here that finds in a small search what the definition finds."""
    return next(path for path in by_speed(PATHS, dimension) if path.works(dimension) and _agrees(path, dimension))


def _agrees(path: type[Compiled | Portable], dimension: int) -> bool:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(403, dimension))
    vectors[200:] = vectors[:203] + 1e-4 * vectors[200:]  # some that only the definition tells apart
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    persons, samples = [f"{row % 97:03}" for row in range(403)], [f"{row:03}" for row in range(403)]
    queries = vectors[::31]
    found = Index([SampleMatrix.of(vectors, persons, samples)], path).nearest(queries, 5, -1.0)
    return found.rows() == nearest_persons(queries, vectors, persons, samples, 5, -1.0).rows()
