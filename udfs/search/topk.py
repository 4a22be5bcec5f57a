"""The k nearest persons of each query, exactly."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from udfs.search.compiled import Compiled
from udfs.search.gallery import Gallery
from udfs.search.portable import Portable, PortableFloat
from udfs.search.similarity import similarity

Array = np.ndarray

PATHS: tuple[type[Compiled | Portable], ...] = (Compiled, Portable, PortableFloat)
"""All give the same bits; the fastest first."""


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


class Index:
    """A gallery made ready to be searched many times."""

    def __init__(self, gallery: Gallery, path: type[Compiled | Portable] | None = None) -> None:
        """path: how to scan; the fastest that works here, unless another is named."""
        self._gallery = gallery
        self._path = (path or fastest(gallery.vectors.shape[1]))(gallery)
        self.path = self._path.name

    def nearest(self, queries: Array, k: int, floor: float, threads: int = 1) -> Nearest:
        """The k persons whose nearest sample is most similar to each query, and at least `floor` similar.

        8-bit products with a proven bound rule out nearly all samples; what is left is decided by the
        definition, so that the result depends on the vectors alone.

        queries: float32 (m, d), unit length.
        """
        if not len(queries) or not len(self._gallery.vectors):
            return Nearest(np.empty(0, np.intp), np.empty(0, object), np.empty(0, object), np.empty(0))
        begun, parts = 0, []
        for decided in self._path.search(np.ascontiguousarray(queries, np.float32), k, floor, threads):
            query, rank = np.nonzero(np.arange(k) < decided.found[:, None])
            parts.append((begun + query, decided.sample[query, rank], decided.similarity[query, rank]))
            begun += len(decided.found)
        query, row, exact = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Nearest(query, self._gallery.persons[row], self._gallery.samples[row], exact)


@cache
def fastest(dimension: int) -> type[Compiled | Portable]:
    """The first path that works here and passes a small search whose answer the definition gives."""
    return next(path for path in PATHS if path.works(dimension) and _agrees(path, dimension))


def _agrees(path: type[Compiled | Portable], dimension: int) -> bool:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(403, dimension))
    vectors[200:] = vectors[:203] + 1e-4 * vectors[200:]  # some that only the definition tells apart
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    gallery = Gallery.of(vectors, [f"{row % 97:03}" for row in range(403)], [f"{row:03}" for row in range(403)])
    found = Index(gallery, path).nearest(vectors[::31], 5, -1.0)
    expected = [_by_definition(query, gallery, 5) for query in vectors[::31]]
    return np.array_equal(found.similarity, np.concatenate(expected))


def _by_definition(query: Array, gallery: Gallery, k: int) -> Array:
    exact = similarity(np.broadcast_to(query, gallery.vectors.shape), gallery.vectors)
    best = np.full(gallery.person_of[-1] + 1, -np.inf)
    np.maximum.at(best, gallery.person_of, exact)
    return np.sort(best)[::-1][:k]
