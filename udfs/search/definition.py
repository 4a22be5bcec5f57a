"""The search as Rollcall defines it, as plainly as it can be written: what every faster way must find, bit by bit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from udfs.search.similarity import similarity

Array = np.ndarray


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

    @classmethod
    def of_rows(cls, rows: Sequence[tuple[int, str, str, float]]) -> "Nearest":
        """rows: (query, person, sample, similarity) of each, in their order."""
        query, person, sample, exact = zip(*rows, strict=True) if rows else ((), (), (), ())
        return cls(np.array(query, int), np.array(person, object), np.array(sample, object), np.array(exact, float))

    def rows(self) -> list[tuple[int, str, str, float]]:
        """(query, person, sample, similarity) of each."""
        columns = (self.query, self.person, self.sample, self.similarity)
        return list(zip(*(column.tolist() for column in columns), strict=True))


def nearest_persons(
    queries: Array,
    vectors: Array,
    persons: Sequence[str],
    samples: Sequence[str],
    k: int,
    floor: float,
    left_out: Sequence[tuple[int, str]] = (),
) -> Nearest:
    """The k nearest persons of each query: those whose most similar sample is at least `floor` similar to it.

    Of equally similar samples of a person the first by name counts, and of equally similar persons the first by
    name comes first.

    queries: float32 (m, d). vectors: float32 (n, d), of which row i is sample `samples[i]` of person `persons[i]`,
    in any order; sample names are unique. left_out: pairs of a query's row and a sample's name that do not count.
    """
    columns = np.asfortranarray(vectors)  # a similarity is a sum over columns, which are read faster when contiguous
    person, sample = np.array(persons, object), np.array(samples, object)
    person_rank, sample_rank = _ranks(person), _ranks(sample)
    found: list[tuple[int, str, str, float]] = []
    for number, query in enumerate(queries):
        exact = similarity(np.broadcast_to(query, columns.shape), columns)
        out = {name for of_query, name in left_out if of_query == number}
        rows = np.flatnonzero((exact >= floor) & np.array([name not in out for name in sample], bool))
        nearest_first = rows[np.lexsort((sample_rank[rows], person_rank[rows], -exact[rows]))]
        _, first_of_person = np.unique(person_rank[nearest_first], return_index=True)
        chosen = nearest_first[np.sort(first_of_person)][:k]
        found += [(number, person[row], sample[row], exact[row]) for row in chosen]
    return Nearest.of_rows(found)


def _ranks(names: Array) -> Array:
    """The place of each name in the order of all: int64 (n,)."""
    return np.unique(names, return_inverse=True)[1]
