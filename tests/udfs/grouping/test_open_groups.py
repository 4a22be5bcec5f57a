"""Groups that are compared with each other until no two are near."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.grouping.test_linkage import NOBODY, faces
from udfs.grouping.linkage import linked
from udfs.grouping.open_groups import add_sums, apart_by_image, join

Array = np.ndarray


def summed(vectors: Array, label: Array) -> tuple[Array, Array]:
    total = np.zeros((label.max() + 1, vectors.shape[1]), np.int64)
    add_sums(total, vectors, label)
    return total, np.bincount(label)


@given(st.integers(1, 30), st.integers(0, 1000), st.floats(0.3, 0.9))
def test_all_of_them_in_one_round_is_average_linkage(count: int, seed: int, threshold: float) -> None:
    vectors = faces(count, seed)
    first = linked(vectors, 0.97, np.arange(count), NOBODY)
    sums, sizes = summed(vectors, first)
    ends = join(sums, sizes, threshold, [], k=count, limit=count)
    _, found = np.unique(ends, return_inverse=True)
    whole = linked(vectors, threshold, np.arange(count), NOBODY)
    assert len(set(zip(found[first].tolist(), whole.tolist(), strict=True))) == whole.max() + 1 == found.max() + 1


@pytest.mark.parametrize(("k", "limit"), [(1, 100), (2, 3), (1, 2)])
def test_in_rounds_nobody_near_enough_is_left_apart(k: int, limit: int) -> None:
    vectors = faces(60, seed=3, persons=3, noise=0.2)
    sums, sizes = summed(vectors, np.arange(60))
    ends = join(sums, sizes, 0.6, [], k, limit)
    means = {end: vectors[ends == end].astype(np.float64).mean(axis=0) for end in set(ends.tolist())}
    near = [means[one] @ means[other] for one in means for other in means if one < other]
    assert max(near, default=-1.0) < 0.6
    assert 3 <= len(means) < 15


def test_who_is_apart_stays_apart() -> None:
    vectors = np.repeat(faces(1, seed=1), 4, axis=0)
    sums, sizes = summed(vectors, np.arange(4))
    assert len(set(join(sums, sizes, 0.5, [(3, 0)], 4, 4).tolist())) == 2
    assert apart_by_image([0, 1, 1, 2], ["a", "a", "b", "b"]) == {(0, 1), (1, 2)}


def test_sums_do_not_depend_on_the_order() -> None:
    vectors = faces(500, seed=2)
    label = np.arange(500) % 7
    order = np.random.default_rng(0).permutation(500)
    assert np.array_equal(summed(vectors, label)[0], summed(vectors[order], label[order])[0])
