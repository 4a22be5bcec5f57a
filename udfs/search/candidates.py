"""The samples that have not been ruled out for each query while a gallery is scanned, and how they are decided.

Each sample that is scanned has a lower and an upper bound of its similarity. A query's *bar* is a similarity
that k persons are proven to reach. A sample whose upper bound is below the bar cannot be among the k nearest
persons, nor tie with them, and is never kept. Those that are left are decided by the definition. Buffers have a
fixed room: when one is full of samples that no bound tells apart, they are decided at once, and only the k
nearest persons among them stay.
"""

from typing import NamedTuple

import numpy as np

from udfs.search.jit import jit
from udfs.search.quantisation import Bounds, up

Array = np.ndarray

ROOM = 1024
"""Samples that wait for a decision, a query: 12 bytes each."""

_TOGETHER = 8
"""Similarities that are summed side by side; each of them in index order, as the definition says."""


class SearchInputs(NamedTuple):
    """Queries, and the samples they are compared with: what the compiled loops need of both.

    queries: float32 (m, d). floors: float64 (m,), similarities below which no one is wanted. left_out: int64
    (pairs, 2), in ascending order: query and sample of pairs that do not count.
    vectors: float32 (n, d), the samples; person_of: int32 (n,), the number of the person each shows.
    """

    queries: Array
    floors: Array
    left_out: Array
    vectors: Array
    person_of: Array


class Decided(NamedTuple):
    """The nearest persons of m queries: of query i, the first `found[i]` of row i, in their final order.

    found: int32 (m,). sample: int32 (m, k), rows of the sample matrix. similarity: float64 (m, k).
    """

    found: Array
    sample: Array
    similarity: Array


class Candidates(NamedTuple):
    """What may still be among the nearest of m queries. Of each, the first `waiting` of row, high and low are in use.

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
    def none(cls, floors: Array, k: int) -> "Candidates":
        """Nothing was scanned yet; similarities below `floors`, float64 (m,), are not wanted."""
        queries = len(floors)
        return cls(
            waiting=np.zeros(queries, np.int32),
            row=np.empty((queries, ROOM), np.int32),
            high=np.empty((queries, ROOM), np.float32),
            low=np.empty((queries, ROOM), np.float32),
            ranked=np.zeros(queries, np.int32),
            # Above the -inf of what is left out, also where no similarity is too low.
            bar=np.maximum(-up(-floors), np.finfo(np.float32).min),
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


@jit
def raise_bars(candidates: Candidates, inputs: SearchInputs, begin: int, end: int) -> None:
    """Raise the bars of queries begin to end by what was scanned since, and drop what is now below."""
    for query in range(begin, end):
        _raise_bar(candidates, inputs, query)


@jit
def make_room(candidates: Candidates, needed: int, inputs: SearchInputs, begin: int, end: int) -> None:
    """Leave room for `needed` more samples in the buffers of queries begin to end."""
    for query in range(begin, end):
        if candidates.waiting[query] + needed > ROOM:
            _raise_bar(candidates, inputs, query)
            if candidates.waiting[query] > ROOM // 2:
                _decide(candidates, inputs, query)


@jit
def decide(candidates: Candidates, inputs: SearchInputs, begin: int, end: int) -> None:
    """Decide all that waits."""
    for query in range(begin, end):
        _raise_bar(candidates, inputs, query)
        _decide(candidates, inputs, query)


@jit
def admit(
    candidates: Candidates,
    scores: Array,
    first: int,
    bounds: Bounds,
    scales: Array,
    inputs: SearchInputs,
    begin: int,
    end: int,
) -> None:
    """Take in a tile of scores, (m, t), of the samples `first`, first + 1, ...; the portable path's filter.

    bounds: of the queries. scales: of the samples.
    """
    sized = np.empty(64, np.float32)
    for query in range(begin, end):
        scored = scores[query]
        offset, scale, slack = bounds.offset[query], bounds.scale[query], bounds.slack[query]
        least = _least(candidates.bar[query], slack, scale)
        for begun in range(0, len(scored), 64):
            # Without a branch, and on slices, so that it is computed on vectors.
            some, of_samples = scored[begun : begun + 64], scales[first + begun : first + begun + 64]
            hit = False
            for at in range(len(some)):
                sized[at] = (np.float32(some[at]) + offset) * of_samples[at]
                hit |= sized[at] >= least
            if not hit:
                continue
            if candidates.waiting[query] + 64 > ROOM:
                _raise_bar(candidates, inputs, query)
                if candidates.waiting[query] > ROOM // 2:
                    _decide(candidates, inputs, query)
                least = _least(candidates.bar[query], slack, scale)
            for at in range(len(some)):
                if sized[at] >= least:
                    high = scale * sized[at] + slack
                    apart = scale * offset * of_samples[at] + slack
                    last = candidates.waiting[query]
                    candidates.row[query, last] = first + begun + at
                    candidates.high[query, last] = high
                    candidates.low[query, last] = high - np.float32(2) * apart
                    candidates.waiting[query] = last + 1


@jit
def least_scores(candidates: Candidates, bounds: Bounds, out: Array) -> None:
    """The least (score + offset) * s_g that a sample must have to be kept, of each query: float32 (m,)."""
    for query in range(len(out)):
        out[query] = _least(candidates.bar[query], bounds.slack[query], bounds.scale[query])


@jit
def _least(bar: float, slack: float, scale: float) -> np.float32:
    return np.float32((np.float64(bar) - np.float64(slack)) / np.float64(scale))


@jit
def _raise_bar(candidates: Candidates, inputs: SearchInputs, query: int) -> None:
    leader, low = candidates.leader[query], candidates.leader_low[query]
    k = len(leader)
    some_left_out = len(inputs.left_out) > 0
    for at in range(candidates.ranked[query], candidates.waiting[query]):
        if some_left_out and _is_left_out(inputs, query, candidates.row[query, at]):
            candidates.high[query, at] = candidates.low[query, at] = -np.inf
        bound = candidates.low[query, at]
        if bound <= low[k - 1]:
            continue
        # From the place of this person, or of the last, upwards to where it belongs.
        person = inputs.person_of[candidates.row[query, at]]
        place = 0
        while place < k - 1 and leader[place] != person:
            place += 1
        if leader[place] == person and low[place] >= bound:
            continue
        while place > 0 and low[place - 1] < bound:
            leader[place], low[place] = leader[place - 1], low[place - 1]
            place -= 1
        leader[place], low[place] = person, bound
    candidates.ranked[query] = candidates.waiting[query]
    if low[k - 1] > candidates.bar[query]:
        candidates.bar[query] = low[k - 1]
    elif not some_left_out:
        return
    _drop(candidates, query)


@jit
def _is_left_out(inputs: SearchInputs, query: int, row: int) -> bool:
    for at in range(np.searchsorted(inputs.left_out[:, 0], query), len(inputs.left_out)):
        if inputs.left_out[at, 0] != query:
            break
        if inputs.left_out[at, 1] == row:
            return True
    return False


@jit
def _drop(candidates: Candidates, query: int) -> None:
    kept = 0
    for at in range(candidates.waiting[query]):
        if candidates.high[query, at] >= candidates.bar[query]:
            candidates.row[query, kept] = candidates.row[query, at]
            candidates.high[query, kept] = candidates.high[query, at]
            candidates.low[query, kept] = candidates.low[query, at]
            kept += 1
    candidates.waiting[query] = candidates.ranked[query] = kept


@jit
def _decide(candidates: Candidates, inputs: SearchInputs, query: int) -> None:
    """In descending order of upper bounds, until the k-th person is beyond those that are left."""
    waiting = candidates.waiting[query]
    order = np.argsort(-candidates.high[query, :waiting])
    k = candidates.person.shape[1]
    total = np.empty(_TOGETHER)
    rows = np.empty(_TOGETHER, np.int64)
    at = 0
    while at < waiting:
        last = candidates.similarity[query, k - 1]
        if candidates.decided[query] == k and np.float64(candidates.high[query, order[at]]) < last:
            break
        together = min(_TOGETHER, waiting - at)
        for lane in range(_TOGETHER):
            rows[lane] = candidates.row[query, order[at + min(lane, together - 1)]]
            total[lane] = 0.0
        for component in range(inputs.queries.shape[1]):
            value = np.float64(inputs.queries[query, component])
            for lane in range(_TOGETHER):
                total[lane] += value * np.float64(inputs.vectors[rows[lane], component])
        for lane in range(together):
            if total[lane] >= inputs.floors[query]:
                _place(candidates, query, inputs.person_of[rows[lane]], rows[lane], total[lane])
        at += together
    candidates.waiting[query] = candidates.ranked[query] = 0
    if candidates.decided[query] == k:
        reached = np.float32(candidates.similarity[query, k - 1])
        if np.float64(reached) > candidates.similarity[query, k - 1]:
            reached = np.nextafter(reached, np.float32(-np.inf))
        candidates.bar[query] = max(candidates.bar[query], reached)


@jit
def _place(candidates: Candidates, query: int, person: int, row: int, similarity: float) -> None:
    """Put a decided sample where it belongs among the nearest persons, if it does.

    Persons and samples are numbered in the order of their names, so numbers break ties as names do.
    """
    persons, rows, similarities = candidates.person[query], candidates.sample[query], candidates.similarity[query]
    k, found = len(persons), candidates.decided[query]
    place = 0
    while place < found and persons[place] != person:
        place += 1
    if place < found:
        if similarity < similarities[place] or (similarity == similarities[place] and row > rows[place]):
            return
    elif found < k:
        candidates.decided[query] = found + 1
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
