"""A map that is learnt from vectors."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rows import normalised
from training.adapter import fitted
from training.plans import LOSSES, SHAPES, AdapterPlan
from udfs.errors import InputError
from udfs.vision.adapter import Adapter

Array = np.ndarray
QUICK = AdapterPlan(steps=60, batch=64, rate=0.02)


def vectors_of(persons: int, photos: int, seed: int) -> tuple[Array, Array]:
    """Persons differ in half of the values; in the other half the photos of one person differ, at random."""
    random = np.random.default_rng(seed)
    who, noise = random.normal(size=(persons, 1, 16)), random.normal(size=(persons, photos, 16))
    both = np.concatenate([np.broadcast_to(who, (persons, photos, 16)), 1.2 * noise], axis=2)
    return normalised(both.reshape(-1, 32)).astype(np.float32), np.repeat(np.arange(persons), photos)


def apart(vectors: Array, labels: Array) -> float:
    """How often a mated pair is more similar than a stranger's."""
    similarity = vectors @ vectors.T
    mated = labels[:, None] == labels
    own = similarity[mated & ~np.eye(len(labels), dtype=bool)]
    return float((own[:, None] > np.quantile(similarity[~mated], 0.99)).mean())


@pytest.mark.parametrize("shape", SHAPES)
def test_other_persons_are_told_apart_better(shape: str) -> None:
    learnt, others = vectors_of(60, 4, 0), vectors_of(60, 4, 1)
    adapter, course = fitted(*learnt, replace(QUICK, shape=shape))  # type: ignore[arg-type]
    assert np.mean(course[-5:]) < 0.5 * np.mean(course[:5])
    assert apart(adapter(others[0]), others[1]) > apart(*others) + 0.1
    assert np.allclose(np.linalg.norm(adapter(others[0]), axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_by_every_loss(name: str) -> None:
    _, course = fitted(*vectors_of(12, 4, 0), replace(QUICK, loss=name, steps=12, batch=32))
    assert np.isfinite(course).all()


def test_the_same_plan_gives_the_same_adapter() -> None:
    first, second, other = (fitted(*vectors_of(20, 3, 0), replace(QUICK, seed=seed))[0] for seed in (5, 5, 6))
    assert first.content() == second.content() != other.content()


def test_pulled_back_hard_it_changes_nothing() -> None:
    vectors, labels = vectors_of(20, 3, 0)
    adapter, _ = fitted(vectors, labels, replace(QUICK, pull=1e5, rate=1e-5))
    assert np.abs(adapter(vectors) - vectors).max() < 0.01


def test_a_loss_that_is_no_number_is_said() -> None:
    vectors, labels = vectors_of(20, 3, 0)
    with pytest.raises(InputError, match=r"'softmax' was no number any more at step \d+; take a lower --rate"):
        fitted(vectors, labels, replace(QUICK, loss="softmax", rate=1e30))


@given(st.integers(1, 20), st.sampled_from(SHAPES), st.integers(0, 3))
def test_a_vector_does_not_depend_on_its_neighbours(count: int, shape: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    inner = 32 if shape == "linear" else 7
    second = None if shape == "linear" else random.normal(size=(32, inner)).astype(np.float32)
    first, offset = random.normal(size=(inner, 32)).astype(np.float32), random.normal(size=inner).astype(np.float32)
    adapter = Adapter(first, offset, second, shape == "two-layer")
    vectors = normalised(random.normal(size=(count, 32))).astype(np.float32)
    alone = np.concatenate([adapter(vectors[at : at + 1]) for at in range(count)])
    assert np.array_equal(adapter(vectors), alone)
    again = Adapter.of(adapter.content(), "there")
    assert np.array_equal(again(vectors), alone)
