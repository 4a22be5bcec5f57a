"""The search compared with its definition, on few samples that are hard to tell apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.errors import InputError
from udfs.search.definition import nearest_persons
from udfs.search.index import Index
from udfs.search.pairs import pairs_at_least
from udfs.search.samples import SampleMatrix
from udfs.search.similarity import fast_error, refuse_unfit, similarity

Array = np.ndarray


def unit(vectors: Array) -> Array:
    vectors = vectors.astype(np.float64)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@st.composite
def searches(draw: st.DrawFn):
    """Vectors of few directions, so that ties and near-ties are the rule; some nudged by one last bit."""
    dimension = draw(st.sampled_from([2, 7, 128]))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    directions = unit(random.normal(size=(draw(st.integers(1, 4)), dimension)))
    count, asked = draw(st.integers(0, 40)), draw(st.integers(0, 6))
    vectors = directions[random.integers(0, len(directions), count)]
    nudged = random.random(vectors.shape) < 0.05
    vectors = np.where(nudged, np.nextafter(vectors, np.float32(draw(st.sampled_from([-1, 1])))), vectors)
    queries = directions[random.integers(0, len(directions), asked)]
    persons = [f"p{n}" for n in random.integers(0, draw(st.integers(1, 12)), count)]
    samples = [f"s{n}" for n in random.permutation(count)]
    return (
        queries,
        vectors.astype(np.float32),
        persons,
        samples,
        draw(st.integers(1, 5)),
        draw(st.sampled_from([-1.1, 0.0, 0.9])),
    )


@settings(max_examples=200)
@given(searches())
def test_the_search_is_its_definition(case) -> None:
    queries, vectors, persons, samples, k, floor = case
    found = Index([SampleMatrix.of(vectors, persons, samples)]).nearest(queries, k, floor)
    assert found.rows() == nearest_persons(queries, vectors, persons, samples, k, floor).rows()


@settings(max_examples=50)
@given(searches(), st.randoms())
def test_the_order_of_the_gallery_does_not_matter(case, random) -> None:
    queries, vectors, persons, samples, k, floor = case
    order = list(range(len(vectors)))
    random.shuffle(order)
    shuffled = SampleMatrix.of(vectors[order], [persons[i] for i in order], [samples[i] for i in order])
    gallery = SampleMatrix.of(vectors, persons, samples)
    found = Index([shuffled]).nearest(queries, k, floor)
    assert found.rows() == Index([gallery]).nearest(queries, k, floor).rows()


@settings(max_examples=100)
@given(searches(), st.integers(1, 4), st.randoms())
def test_it_does_not_matter_which_part_a_person_is_in(case, parts, random) -> None:
    queries, vectors, persons, samples, k, floor = case
    part_of = {person: random.randrange(parts) for person in sorted(set(persons))}
    matrices = []
    for part in range(parts):
        rows = [row for row, person in enumerate(persons) if part_of[person] == part]
        matrices.append(SampleMatrix.of(vectors[rows], [persons[i] for i in rows], [samples[i] for i in rows]))
    found = Index(matrices).nearest(queries, k, floor)
    assert found.rows() == nearest_persons(queries, vectors, persons, samples, k, floor).rows()


def test_the_similarity_is_a_sum_in_order() -> None:
    """1e16 + 1 - 1e16 is 0 in this order and 1 in another: the definition says which."""
    left = np.array([[1e8, 1.0, -1e8]], np.float32)
    right = np.array([[1e8, 1.0, 1e8]], np.float32)
    assert similarity(left, right)[0] == 0.0


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.sampled_from([1, 3, 128, 512]))
def test_the_fast_product_keeps_its_bound(seed: int, dimension: int) -> None:
    random = np.random.default_rng(seed)
    left, right = (
        unit(random.normal(size=(50, dimension)) ** 3 + 1e-6),
        unit(random.normal(size=(60, dimension)) + 1e-6),
    )
    i, j = np.indices((50, 60)).reshape(2, -1)
    exact = similarity(left[i], right[j]).reshape(50, 60)
    assert np.abs(left @ right.T - exact).max() <= fast_error(dimension)


def test_pairs_at_least_are_all_such_pairs() -> None:
    random = np.random.default_rng(7)
    left, right = unit(random.normal(size=(70, 8))), unit(random.normal(size=(50, 8)))
    i, j, score = pairs_at_least(left, right, 0.5, block=16)
    a, b = np.indices((70, 50)).reshape(2, -1)
    exact = similarity(left[a], right[b])
    kept = exact >= 0.5
    assert sorted(zip(i, j, score, strict=True)) == sorted(zip(a[kept], b[kept], exact[kept], strict=True))


def one_bit_apart(seed: int, count: int) -> Array:
    """Variants of one vector, a third of whose components are one last bit up or down.

    Their similarities differ by less than a float32 product can tell: only its error bound keeps them all in.
    """
    random = np.random.default_rng(seed)
    vectors = np.repeat(unit(random.normal(size=(1, 128))), count, axis=0)
    towards = np.where(random.random(vectors.shape) < 0.5, np.float32(-1), np.float32(1))
    return np.where(random.random(vectors.shape) < 0.3, np.nextafter(vectors, towards), vectors).astype(np.float32)


@pytest.mark.parametrize("k", [1, 3])
def test_the_nearest_of_persons_that_differ_by_a_bit(k: int) -> None:
    vectors = one_bit_apart(7, 340)
    queries, vectors = vectors[:40], vectors[40:]
    names = [f"p{at:03}" for at in range(len(vectors))]
    found = Index([SampleMatrix.of(vectors, names, names)]).nearest(queries, k, -1.1)
    assert found.rows() == nearest_persons(queries, vectors, names, names, k, -1.1).rows()


def test_pairs_exactly_as_similar_as_the_floor() -> None:
    vectors = one_bit_apart(8, 340)
    left, right = vectors[:40], vectors[40:]
    a, b = np.indices((40, 300)).reshape(2, -1)
    exact = similarity(left[a], right[b])
    for floor in np.sort(exact)[::1000]:
        i, j, score = pairs_at_least(left, right, float(floor), block=16)
        kept = exact >= floor
        assert sorted(zip(i, j, score, strict=True)) == sorted(zip(a[kept], b[kept], exact[kept], strict=True))


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 3.0])
def test_vectors_that_are_not_of_unit_length_are_refused_by_name(value: float) -> None:
    vectors = unit(np.ones((3, 4)))
    vectors[1] = value
    with pytest.raises(InputError, match="face-b"):
        refuse_unfit(vectors, ["face-a", "face-b", "face-c"])
