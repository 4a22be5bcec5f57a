"""Average linkage: what the definition gives, in quadratic time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from udfs.grouping.definition import groups
from udfs.grouping.linkage import joined_means, linked

Array = np.ndarray
NOBODY = np.empty((0, 2), np.int64)


def faces(count: int, seed: int, persons: int = 4, noise: float = 0.6, dimension: int = 6) -> Array:
    random = np.random.default_rng(seed)
    of = random.normal(size=(persons, dimension))[random.integers(persons, size=count)]
    vectors = of / np.linalg.norm(of, axis=1, keepdims=True) + noise * random.normal(size=(count, dimension)) / 2
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def as_items(count: int, together: list[tuple[int, int]]) -> Array:
    item = np.arange(count)
    for one, other in together:
        item[item == item[other]] = item[one]
    return item


pairs = st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=6)


@given(st.integers(1, 30), st.integers(0, 1000), st.floats(-0.5, 0.95), pairs, pairs)
def test_the_definition(count: int, seed: int, threshold: float, together: list, apart: list) -> None:
    vectors = faces(count, seed)
    if count > 4:
        vectors[3] = vectors[1]  # equally near to all others
    together = [(one % count, other % count) for one, other in together]
    items = as_items(count, together)
    apart = [(one % count, other % count) for one, other in apart if items[one % count] != items[other % count]]
    found = linked(vectors, threshold, items, np.array(apart, np.int64).reshape(-1, 2))
    assert found.tolist() == groups(vectors, threshold, together, apart).tolist()


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8])
def test_a_published_library_finds_the_same(threshold: float) -> None:
    vectors = faces(200, seed=1, persons=20)
    distance = 1 - vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(distance, 0)
    theirs = fcluster(linkage(squareform(distance, checks=False), "average"), 1 - threshold, "distance")
    ours = linked(vectors, threshold, np.arange(200), NOBODY)
    assert len(set(zip(ours.tolist(), theirs.tolist(), strict=True))) == len(set(ours.tolist())) == len(set(theirs))


@given(st.integers(2, 40), st.integers(0, 1000), st.randoms(use_true_random=False))
def test_the_order_of_faces_does_not_show(count: int, seed: int, shuffled: object) -> None:
    vectors = faces(count, seed)
    order = np.arange(count)
    shuffled.shuffle(order)  # type: ignore[attr-defined]
    one = linked(vectors, 0.5, np.arange(count), NOBODY)
    other = linked(vectors[order], 0.5, np.arange(count), NOBODY)
    assert len(set(zip(one[order].tolist(), other.tolist(), strict=True))) == one.max() + 1 == other.max() + 1


def test_faces_of_one_image_are_of_two_persons() -> None:
    vectors = np.repeat(faces(1, seed=3), 3, axis=0)
    assert linked(vectors, 0.5, np.arange(3), NOBODY).tolist() == [0, 0, 0]
    assert linked(vectors, 0.5, np.arange(3), np.array([[0, 1]])).tolist() == [0, 1, 0]


@given(st.integers(1, 40), st.integers(0, 1000), st.floats(0.2, 0.9))
def test_groups_that_there_are_go_on_as_if_their_faces_did(count: int, seed: int, threshold: float) -> None:
    """Joining at a high threshold, and then the groups at a lower one, is joining at the lower one."""
    vectors = faces(count, seed)
    first = linked(vectors, 0.95, np.arange(count), NOBODY)
    sizes = np.bincount(first).astype(np.float64)
    means = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(means, first, vectors.astype(np.float64))
    then = joined_means(means / sizes[:, None], sizes, threshold, NOBODY)[first]
    assert then.tolist() == linked(vectors, threshold, np.arange(count), NOBODY).tolist()
