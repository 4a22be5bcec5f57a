"""The mean similarity to the nearest of a cohort, compared with its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.search.cohort import NEAREST, cohort_similarity
from udfs.search.similarity import similarity

Array = np.ndarray


def unit(count: int, seed: int) -> Array:
    vectors = np.random.default_rng(seed).normal(size=(count, 16))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_definition(vector: Array, cohort: Array) -> float:
    near = sorted(similarity(np.repeat(vector[None], len(cohort), axis=0), cohort).tolist(), reverse=True)[:NEAREST]
    return sum(near) / len(near)


@given(st.integers(0, 40), st.integers(1, 60), st.integers(0, 10**6), st.sampled_from([1, 7, 1024]))
def test_it_is_what_the_definition_says(count: int, persons: int, seed: int, block: int) -> None:
    vectors, cohort = unit(count, seed), unit(persons, seed + 1)
    cohort[persons // 2 :] = cohort[0]  # ties
    found = cohort_similarity(vectors, cohort, block)
    assert found.tolist() == [by_definition(vector, cohort) for vector in vectors]


@pytest.mark.parametrize("order", [slice(None, None, -1), np.random.default_rng(0).permutation(50)])
def test_the_order_of_the_cohort_does_not_matter(order: slice | Array) -> None:
    vectors, cohort = unit(30, 1), unit(50, 2)
    assert np.array_equal(cohort_similarity(vectors, cohort), cohort_similarity(vectors, cohort[order]))
