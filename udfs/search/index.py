"""The k nearest persons of each query, exactly."""

from collections.abc import Callable, Iterable, Sequence
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
        self._parts = {number: part for number, part in enumerate(parts) if len(part.vectors)}
        dimension = next((part.vectors.shape[1] for part in self._parts.values()), 1)
        chosen = path or fastest(dimension)
        self._paths = {number: chosen(part) for number, part in self._parts.items()}
        self.path = chosen.name

    def nearest(
        self, queries: Array, k: int, floor: float, threads: int = 1, left_out: Sequence[tuple[int, str]] = ()
    ) -> Nearest:
        """The k persons whose nearest sample is most similar to each query, and at least `floor` similar.

        The same as `definition.nearest_persons` gives: 8-bit products with a proven bound rule out nearly all samples;
        what is left is decided by the definition, so that the result depends on the vectors alone.

        queries: float32 (m, d), unit length. left_out: pairs of a query and a sample that do not count.
        """
        found = self.nearest_rows(queries, k, floor, threads, left_out)
        person, sample = np.empty((2, len(found.row)), object)
        for number, part in self._parts.items():
            here = found.part == number
            person[here] = self._persons(number, found.row[here])
            sample[here] = part.samples.take(found.row[here]).to_numpy(zero_copy_only=False)
        return Nearest(found.query, person, sample, found.similarity)

    def nearest_rows(
        self, queries: Array, k: int, floor: float, threads: int = 1, left_out: Sequence[tuple[int, str]] = ()
    ) -> "NearestRows":
        """The same, by the places of their nearest samples."""
        queries = np.ascontiguousarray(queries, np.float32)
        best = NearestRows.none()
        if len(queries):
            for number, part in self._parts.items():
                # Whoever is below the k-th person of the parts before cannot be among the nearest.
                floors = best.floors(len(queries), k, floor)
                asked = Queries(queries, floors, _rows_left_out(part, left_out))
                best = best.with_part(number, self._paths[number].search(asked, k, threads), len(queries), k)
        return best.in_order(self._persons).first(k)

    def _persons(self, part: int, rows: Array) -> Array:
        return self._parts[part].persons.take(rows).to_numpy(zero_copy_only=False)


def _rows_left_out(part: SampleMatrix, left_out: Sequence[tuple[int, str]]) -> Array:
    if not left_out:
        return np.empty((0, 2), np.int64)
    queries, samples = zip(*left_out, strict=True)
    rows = pc.index_in(pa.array(samples, pa.string()), part.samples).fill_null(-1).to_numpy(zero_copy_only=False)
    pairs = np.stack([np.asarray(queries, np.int64), rows.astype(np.int64)], axis=1)
    pairs = pairs[rows >= 0]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _rank(query: Array) -> Array:
    """The place of each among those of its query, from 0."""
    return np.arange(len(query)) - np.searchsorted(query, query)


class NearestRows(NamedTuple):
    """Samples near queries: `row` of the part with the number `part`; in the order of query and falling similarity.
    While parts are still to be searched, whoever is as near as the last stays too.

    query: intp (n,). part, row: int32 (n,). similarity: float64 (n,).
    """

    query: Array
    part: Array
    row: Array
    similarity: Array

    @classmethod
    def none(cls) -> "NearestRows":
        """Of no part."""
        return cls(np.empty(0, np.intp), np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0))

    def floors(self, queries: int, k: int, floor: float) -> Array:
        """The similarity that another person must reach to be among the k nearest of each query."""
        floors = np.full(queries, floor, np.float64)
        last = _rank(self.query) == k - 1
        floors[self.query[last]] = self.similarity[last]
        return floors

    def with_part(self, number: int, found: Iterable[Decided], queries: int, k: int) -> "NearestRows":
        """Those among these and the nearest of another part that can still be among the k nearest of each query."""
        begun, parts = 0, [self]
        for decided in found:
            query, rank = np.nonzero(np.arange(k) < decided.found[:, None])
            row = decided.sample[query, rank]
            parts.append(NearestRows(begun + query, np.full_like(row, number), row, decided.similarity[query, rank]))
            begun += len(decided.found)
        joined = NearestRows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        ordered = joined.taken(np.lexsort((joined.row, joined.part, -joined.similarity, joined.query)))
        return ordered.taken(ordered.similarity >= ordered.floors(queries, k, -np.inf)[ordered.query])

    def in_order(self, persons: Callable[[int, Array], Array]) -> "NearestRows":
        """The same, with those of several parts that are as near in the order of their persons: so far they stand in
        that of the parts.

        persons: the names of rows of a part.
        """
        same = (self.query[1:] == self.query[:-1]) & (self.similarity[1:] == self.similarity[:-1])
        if not (same & (self.part[1:] != self.part[:-1])).any():
            return self
        tied = np.flatnonzero(np.append(False, same) | np.append(same, False))
        some = self.taken(tied)
        person = np.empty(len(tied), object)
        for number in np.unique(some.part).tolist():
            here = some.part == number
            person[here] = persons(number, some.row[here])
        order = np.lexsort((np.unique(person, return_inverse=True)[1], -some.similarity, some.query))
        part, row = self.part.copy(), self.row.copy()
        part[tied], row[tied] = some.part[order], some.row[order]
        return self._replace(part=part, row=row)

    def first(self, k: int) -> "NearestRows":
        """Of each query the first k."""
        return self.taken(_rank(self.query) < k)

    def taken(self, which: Array) -> "NearestRows":
        """Some of them."""
        return NearestRows(*(column[which] for column in self))


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
