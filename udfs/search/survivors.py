"""What has not been ruled out for each query while a gallery is scanned, and how it is decided in the end.

Each sample that is scanned has a lower and an upper bound of its similarity. A query's *bar* is a similarity
that k persons are proven to reach. A sample whose upper bound is below the bar cannot be among the k nearest
persons, nor tie with them, and is never kept. Those that are left are decided by the definition. Buffers have a
fixed room: when one is full of samples that no bound tells apart, they are decided at once, and only the k
nearest persons among them stay.
"""

from typing import NamedTuple

import numba
import numpy as np

Array = np.ndarray

ROOM = 1024
"""Samples that wait for a decision, a query: 12 bytes each."""

_TOGETHER = 8
"""Similarities that are summed side by side; each of them in index order, as the definition says."""


class Decided(NamedTuple):
    """The nearest persons of m queries: of query i, the first `found[i]` of row i, in their final order.

    found: int32 (m,). sample: int32 (m, k), rows of the gallery. similarity: float64 (m, k).
    """

    found: Array
    sample: Array
    similarity: Array


class Survivors(NamedTuple):
    """State of m queries. Of each, the first `waiting` of row, high and low are in use.

    waiting: int32 (m,). row: int32 (m, ROOM), samples that wait; high, low: float32 (m, ROOM), their bounds.
    ranked: int32 (m,), how many of those have been compared with the leaders. bar: float32 (m,).
    leader, leader_low: int32, float32 (m, k): the k persons with the highest lower bounds, in descending order.
    decided: int32 (m,); person, sample, similarity: int32, int32, float64 (m, k): the nearest persons among
    the samples that were decided, in their final order.
    """

    waiting: Array
    row: Array
    high: Array
    low: Array
    ranked: Array
    bar: Array
    leader: Array
    leader_low: Array
    decided: Array
    person: Array
    sample: Array
    similarity: Array

    @classmethod
    def none(cls, queries: int, k: int, floor: float) -> "Survivors":
        """Nothing scanned yet; similarities below `floor` are not wanted."""
        bar = np.float32(floor)
        if bar > floor:
            bar = np.nextafter(bar, np.float32(-np.inf))
        return cls(
            waiting=np.zeros(queries, np.int32),
            row=np.empty((queries, ROOM), np.int32),
            high=np.empty((queries, ROOM), np.float32),
            low=np.empty((queries, ROOM), np.float32),
            ranked=np.zeros(queries, np.int32),
            bar=np.full(queries, bar, np.float32),
            leader=np.full((queries, k), -1, np.int32),
            leader_low=np.full((queries, k), -np.inf, np.float32),
            decided=np.zeros(queries, np.int32),
            person=np.full((queries, k), -1, np.int32),
            sample=np.full((queries, k), -1, np.int32),
            similarity=np.full((queries, k), -np.inf),
        )

    @property
    def nearest(self) -> Decided:
        """What was decided, without the buffers."""
        return Decided(self.decided, self.sample, self.similarity)


@numba.njit(nogil=True, cache=True)
def raise_bars(state, person_of, begin, end):  # type: ignore[no-untyped-def]
    """Raise the bars of queries begin to end by what was scanned since, and drop what is now below."""
    for query in range(begin, end):
        _raise_bar(state, person_of, query)


@numba.njit(nogil=True, cache=True)
def make_room(state, needed, queries, vectors, person_of, floor, begin, end):  # type: ignore[no-untyped-def]
    """Leave room for `needed` more samples in the buffers of queries begin to end."""
    for query in range(begin, end):
        if state.waiting[query] + needed > ROOM:
            _raise_bar(state, person_of, query)
            if state.waiting[query] > ROOM // 2:
                _decide(state, queries, vectors, person_of, floor, query)


@numba.njit(nogil=True, cache=True)
def decide(state, queries, vectors, person_of, floor, begin, end):  # type: ignore[no-untyped-def]
    """Decide all that waits. queries: float32 (m, d); vectors: float32 (n, d); person_of: int32 (n,)."""
    for query in range(begin, end):
        _raise_bar(state, person_of, query)
        _decide(state, queries, vectors, person_of, floor, query)


@numba.njit(nogil=True, cache=True)
def admit(state, scores, first, offset, scale, slack, scales, queries, vectors, person_of, floor, begin, end):  # type: ignore[no-untyped-def]
    """Take in a tile of scores, (m, t), of the samples `first`, first + 1, ...; the portable path's filter.

    offset, scale, slack: of the queries, and scales: of the samples; see `rounding.Bounds`.
    """
    for query in range(begin, end):
        scored = scores[query]
        least = _least(state.bar[query], slack[query], scale[query])
        at = 0
        while at < len(scored):
            stop = min(at + 64, len(scored))
            hit = False
            for column in range(at, stop):
                hit |= (np.float32(scored[column]) + offset[query]) * scales[first + column] >= least
            if hit:
                if state.waiting[query] + 64 > ROOM:
                    _raise_bar(state, person_of, query)
                    if state.waiting[query] > ROOM // 2:
                        _decide(state, queries, vectors, person_of, floor, query)
                    least = _least(state.bar[query], slack[query], scale[query])
                for column in range(at, stop):
                    sized = (np.float32(scored[column]) + offset[query]) * scales[first + column]
                    if sized >= least:
                        waiting = state.waiting[query]
                        high = scale[query] * sized + slack[query]
                        apart = scale[query] * offset[query] * scales[first + column] + slack[query]
                        state.row[query, waiting] = first + column
                        state.high[query, waiting] = high
                        state.low[query, waiting] = high - np.float32(2) * apart
                        state.waiting[query] = waiting + 1
            at = stop


@numba.njit(nogil=True, cache=True)
def least_scores(state, slack, scale, out):  # type: ignore[no-untyped-def]
    """The least (score + offset) * s_g that a sample must have to be kept, of each query: float32 (m,)."""
    for query in range(len(out)):
        out[query] = _least(state.bar[query], slack[query], scale[query])


@numba.njit(nogil=True, cache=True, inline="always")
def _least(bar, slack, scale):  # type: ignore[no-untyped-def]
    return np.float32((np.float64(bar) - np.float64(slack)) / np.float64(scale))


@numba.njit(nogil=True, cache=True)
def _raise_bar(state, person_of, query):  # type: ignore[no-untyped-def]
    leader, low = state.leader[query], state.leader_low[query]
    k = len(leader)
    for at in range(state.ranked[query], state.waiting[query]):
        bound = state.low[query, at]
        if bound <= low[k - 1]:
            continue
        # From the place of this person, or of the last, upwards to where it belongs.
        person = person_of[state.row[query, at]]
        place = 0
        while place < k - 1 and leader[place] != person:
            place += 1
        if leader[place] == person and low[place] >= bound:
            continue
        while place > 0 and low[place - 1] < bound:
            leader[place], low[place] = leader[place - 1], low[place - 1]
            place -= 1
        leader[place], low[place] = person, bound
    state.bar[query] = max(state.bar[query], low[k - 1])
    _drop(state, query)


@numba.njit(nogil=True, cache=True)
def _drop(state, query):  # type: ignore[no-untyped-def]
    kept = 0
    for at in range(state.waiting[query]):
        if state.high[query, at] >= state.bar[query]:
            state.row[query, kept] = state.row[query, at]
            state.high[query, kept] = state.high[query, at]
            state.low[query, kept] = state.low[query, at]
            kept += 1
    state.waiting[query] = state.ranked[query] = kept


@numba.njit(nogil=True, cache=True)
def _decide(state, queries, vectors, person_of, floor, query):  # type: ignore[no-untyped-def]
    """In descending order of upper bounds, until the k-th person is beyond those that are left."""
    waiting = state.waiting[query]
    order = np.argsort(-state.high[query, :waiting])
    k = state.person.shape[1]
    total = np.empty(_TOGETHER)
    rows = np.empty(_TOGETHER, np.int64)
    at = 0
    while at < waiting:
        last = state.similarity[query, k - 1]
        if state.decided[query] == k and np.float64(state.high[query, order[at]]) < last:
            break
        together = min(_TOGETHER, waiting - at)
        for lane in range(_TOGETHER):
            rows[lane] = state.row[query, order[at + min(lane, together - 1)]]
            total[lane] = 0.0
        for component in range(queries.shape[1]):
            value = np.float64(queries[query, component])
            for lane in range(_TOGETHER):
                total[lane] += value * np.float64(vectors[rows[lane], component])
        for lane in range(together):
            if total[lane] >= floor:
                _place(state, query, person_of[rows[lane]], rows[lane], total[lane])
        at += together
    state.waiting[query] = state.ranked[query] = 0
    if state.decided[query] == k:
        reached = np.float32(state.similarity[query, k - 1])
        if np.float64(reached) > state.similarity[query, k - 1]:
            reached = np.nextafter(reached, np.float32(-np.inf))
        state.bar[query] = max(state.bar[query], reached)


@numba.njit(nogil=True, cache=True)
def _place(state, query, person, row, similarity):  # type: ignore[no-untyped-def]
    """Put a decided sample where it belongs among the nearest persons, if it does.

    Persons and samples are numbered in the order of their names, so numbers break ties as names do.
    """
    persons, rows, similarities = state.person[query], state.sample[query], state.similarity[query]
    k, found = len(persons), state.decided[query]
    place = 0
    while place < found and persons[place] != person:
        place += 1
    if place < found:
        if similarity < similarities[place] or (similarity == similarities[place] and row > rows[place]):
            return
    elif found < k:
        state.decided[query] = found + 1
    else:
        place = k - 1
        if similarity < similarities[place] or (similarity == similarities[place] and person > persons[place]):
            return
    while place > 0 and (
        similarities[place - 1] < similarity or (similarities[place - 1] == similarity and persons[place - 1] > person)
    ):
        persons[place], rows[place] = persons[place - 1], rows[place - 1]
        similarities[place] = similarities[place - 1]
        place -= 1
    persons[place], rows[place], similarities[place] = person, row, similarity
