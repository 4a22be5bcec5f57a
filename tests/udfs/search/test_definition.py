"""The definition of the search on numbers that were worked out by hand: it cannot be its own oracle."""

import numpy as np

from udfs.search.definition import nearest_persons

QUERIES = np.array([[1, 0], [0, 1]], np.float32)
VECTORS = np.array([[0.5, 0.25], [0.25, 0.5], [0.5, -1], [0.5, 0.75], [-1, 0]], np.float32)
PERSONS = ["bob", "ann", "bob", "cleo", "dan"]
SAMPLES = ["s4", "s3", "s2", "s1", "s0"]
# The similarities are the components themselves:
#               s4 bob   s3 ann   s2 bob   s1 cleo   s0 dan
#   query 0:     0.5      0.25     0.5      0.5       -1
#   query 1:     0.25     0.5     -1        0.75       0


def found(k: int, floor: float, left_out: tuple[tuple[int, str], ...] = ()) -> list[tuple[int, str, str, float]]:
    return nearest_persons(QUERIES, VECTORS, PERSONS, SAMPLES, k, floor, left_out).rows()


def test_persons_by_their_best_sample_and_ties_by_name() -> None:
    assert found(9, -2.0) == [
        (0, "bob", "s2", 0.5),  # as near as s4 is, and before it by name; as near as cleo, and before her
        (0, "cleo", "s1", 0.5),
        (0, "ann", "s3", 0.25),
        (0, "dan", "s0", -1.0),
        (1, "cleo", "s1", 0.75),
        (1, "ann", "s3", 0.5),
        (1, "bob", "s4", 0.25),
        (1, "dan", "s0", 0.0),
    ]


def test_only_k_persons() -> None:
    assert found(1, -2.0) == [(0, "bob", "s2", 0.5), (1, "cleo", "s1", 0.75)]


def test_the_floor_itself_is_near_enough() -> None:
    assert found(9, 0.5) == [
        (0, "bob", "s2", 0.5),
        (0, "cleo", "s1", 0.5),
        (1, "cleo", "s1", 0.75),
        (1, "ann", "s3", 0.5),
    ]


def test_pairs_that_do_not_count() -> None:
    assert found(2, -2.0, ((0, "s2"), (1, "s1"), (1, "nobody's"))) == [
        (0, "bob", "s4", 0.5),
        (0, "cleo", "s1", 0.5),
        (1, "ann", "s3", 0.5),
        (1, "bob", "s4", 0.25),
    ]


def test_nothing_to_search() -> None:
    assert nearest_persons(QUERIES[:0], VECTORS, PERSONS, SAMPLES, 3, -2.0).rows() == []
    assert nearest_persons(QUERIES, VECTORS[:0], [], [], 3, -2.0).rows() == []
