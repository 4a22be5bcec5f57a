"""What is connected, and where it is cut."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.grouping.components import forest, pieces

Array = np.ndarray
NODES = 12
Edge = tuple[int, int, float]
similarities = st.integers(1, 6).map(lambda number: number / 8)
edges_drawn = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1), similarities), max_size=40)


def columns(edges: Sequence[Edge]) -> tuple[Array, Array, Array]:
    one, other, similarity = zip(*edges, strict=True) if edges else ((), (), ())
    return np.array(one, np.int64), np.array(other, np.int64), np.array(similarity, np.float64)


def connected(edges: Sequence[Edge], least: float, among: frozenset[int]) -> set[frozenset[int]]:
    """The sets of nodes that edges of some similarity connect."""
    sets = {node: frozenset([node]) for node in among}
    for one, other, similarity in edges:
        if similarity >= least and one in among and other in among:
            joined = sets[one] | sets[other]
            sets |= dict.fromkeys(joined, joined)
    return set(sets.values())


def cut(edges: Sequence[Edge], among: frozenset[int], limit: int, least: float = 0.0) -> set[frozenset[int]]:
    found: set[frozenset[int]] = set()
    for nodes in connected(edges, least, among):
        found |= {nodes} if len(nodes) <= limit else cut(edges, nodes, limit, least + 1 / 8)
    return found


def sets_of(labels: Array) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


@given(edges_drawn)
def test_a_forest_connects_what_all_edges_do(edges: list[Edge]) -> None:
    kept = [edges[at] for at in forest(*columns(edges))]
    assert len(kept) < NODES
    everyone = frozenset(range(NODES))
    for level in range(8):
        assert connected(kept, level / 8, everyone) == connected(edges, level / 8, everyone)


@given(edges_drawn, st.integers(1, NODES), st.randoms(use_true_random=False))
def test_pieces(edges: list[Edge], limit: int, shuffled: object) -> None:
    apart = np.arange(NODES)
    everyone = frozenset(range(NODES))
    labels, of_cut = pieces(NODES, *columns(edges), limit, apart)
    assert sets_of(labels) == cut(edges, everyone, limit)
    whole = connected(edges, 0.0, everyone)
    assert {node for node in range(NODES) if of_cut[node]} == {
        n for nodes in whole if len(nodes) > limit for n in nodes
    }
    halves = [edges[::2], edges[1::2]]
    fewer = [some[at] for some in halves for at in forest(*columns(some))]
    shuffled.shuffle(fewer)  # type: ignore[attr-defined]
    assert sets_of(pieces(NODES, *columns(fewer), limit, apart)[0]) == sets_of(labels)


def test_what_must_be_together_counts_as_one() -> None:
    same = np.array([0, 1, 0, 0, 4])
    none = np.empty(0, np.int64)
    assert sets_of(pieces(5, none, none, np.empty(0), 1, same)[0]) == {
        frozenset({0, 2, 3}),
        frozenset({1}),
        frozenset({4}),
    }
    edges = columns([(3, 1, 0.9), (1, 4, 0.8)])
    labels, of_cut = pieces(5, *edges, 2, same)
    assert sets_of(labels) == {frozenset({0, 1, 2, 3}), frozenset({4})}
    assert Counter(of_cut.tolist()) == {True: 5}
