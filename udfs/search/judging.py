"""What judging samples needs of the search: who is near them among others, and which of them are near each other."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.search.pairs import pairs_at_least, similarities_of
from udfs.search.similarity import fast_error

Array = np.ndarray

_LEFT, _RIGHT = 1024, 8192  # rows whose products are taken at once: 32 MiB of float32


class Nearness:
    """How near some samples are to others that come bit by bit: `own`, the highest similarity to a sample of their own
    person, and `other`, that to `other_person`, the nearest other person, among those at least `review` similar; of
    equally near ones the first by name.

    own, other: float64 (n,), -inf where there is none. other_person: (n,), None where there is none.
    """

    def __init__(self, vectors: Array, persons: Sequence[str], review: float) -> None:
        """vectors: float32 (n, d), unit length, of the samples that are to be judged. persons: whose they are."""
        self._vectors, self._review = vectors, review
        self._names, self._person = np.unique(np.array(persons, object), return_inverse=True)
        self._order = np.argsort(self._person, kind="stable")
        self._first = np.searchsorted(self._person[self._order], np.arange(len(self._names) + 1))
        self.own, self.other = np.full((2, len(vectors)), -np.inf)
        self.other_person: list[str | None] = [None] * len(vectors)

    def meet(self, vectors: Array, persons: pa.StringArray) -> None:
        """Compare with more of the others: float32 (m, d), and whose they are."""
        known = pc.index_in(persons, value_set=pa.array(self._names, pa.string())).fill_null(-1)
        person = known.to_numpy(zero_copy_only=False)
        self._meet_own(vectors, person)
        mine, theirs, exact = pairs_at_least(self._vectors, vectors, self._review)
        other = self._person[mine] != person[theirs]
        self._meet_others(mine[other], persons.take(pa.array(theirs[other])), exact[other])

    def _meet_own(self, vectors: Array, person: Array) -> None:
        theirs = np.flatnonzero(person >= 0)
        first, last = self._first[person[theirs]], self._first[person[theirs] + 1]
        theirs = np.repeat(theirs, last - first)
        within = np.arange(len(theirs)) - np.repeat(np.cumsum(last - first) - (last - first), last - first)
        mine = self._order[np.repeat(first, last - first) + within]
        np.maximum.at(self.own, mine, similarities_of(self._vectors, vectors, mine, theirs))

    def _meet_others(self, mine: Array, persons: pa.StringArray, exact: Array) -> None:
        names = persons.to_numpy(zero_copy_only=False)
        _, rank = np.unique(names, return_inverse=True)
        nearest_first = np.lexsort((rank, -exact, mine))
        samples, first = np.unique(mine[nearest_first], return_index=True)
        for sample, at in zip(samples.tolist(), nearest_first[first].tolist(), strict=True):
            self.meet_other(sample, float(exact[at]), str(names[at]))

    def meet_other(self, sample: int, score: float, person: str) -> None:
        """Take note of another person who is this near."""
        standing = self.other_person[sample]
        if score > self.other[sample] or (score == self.other[sample] and standing is not None and person < standing):
            self.other[sample], self.other_person[sample] = score, person


def pairs_before(
    parts: Sequence[Array], persons: Array, floors: Array, begin: int, end: int
) -> Iterator[tuple[Array, Array, Array]]:
    """The pairs of rows `begin` to `end` with rows before them that judging may ask for: of one person; and of two, if
    they are at least as similar as the floor of the later row says.

    parts: float32 (n_i, d), one after the other all rows. persons: int32 (n,), a number for each person. floors:
    float64 (n,).
    Yields: later rows, rows before them, similarities (float64), each (pairs,).
    """
    ends = np.cumsum([len(part) for part in parts]).tolist()
    numbered = [(part, end - len(part)) for part, end in zip(parts, ends, strict=True)]
    for begun in range(begin, end, _LEFT):
        last = min(begun + _LEFT, end)
        left = np.concatenate([part[max(0, begun - at) : max(0, last - at)] for part, at in numbered])
        for part, at in numbered:
            for row in range(at, min(at + len(part), last), _RIGHT):
                right = part[row - at : min(row - at + _RIGHT, last - at)]
                of_left, of_right = slice(begun, last), slice(row, row + len(right))
                i, j, exact = _near_or_same(left, right, persons[of_left], persons[of_right], floors[of_left])
                before = row + j < begun + i
                yield begun + i[before], row + j[before], exact[before]


def _near_or_same(
    left: Array, right: Array, persons: Array, others: Array, floors: Array
) -> tuple[Array, Array, Array]:
    # Rounded down: a product of float32 that is as large as the floor must not be below it.
    least = np.nextafter((floors - fast_error(left.shape[1])).astype(np.float32), np.float32(-np.inf))
    i, j = np.nonzero((left @ right.T >= least[:, None]) | (persons[:, None] == others[None, :]))
    exact = similarities_of(left, right, i, j)
    kept = (exact >= floors[i]) | (persons[i] == others[j])
    return i[kept], j[kept], exact[kept]
