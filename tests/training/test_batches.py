"""Which photos are in which batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.batches import PHOTOS, Batches
from udfs.errors import InputError

labelled = st.lists(st.integers(0, 8), min_size=4, max_size=40).map(np.array)


@given(labelled, st.integers(1, 12), st.integers(0, 5))
def test_a_pass_takes_each_photo_once_or_leaves_less_than_a_batch(labels: np.ndarray, size: int, seed: int) -> None:
    batches = Batches(labels, min(size, len(labels)), several=False, seed=seed)
    orders = []
    for number in range(2):
        steps = range(number * batches.a_pass, (number + 1) * batches.a_pass)
        taken = np.concatenate([batches.at(step) for step in steps])
        assert len(set(taken.tolist())) == len(taken) > len(labels) - batches.size
        orders.append(taken.tolist())
    if len(orders[0]) > 8:  # fewer may be drawn in the same order twice
        assert orders[0] != orders[1]


@given(labelled, st.integers(0, 30))
def test_each_person_of_a_batch_has_several_photos(labels: np.ndarray, step: int) -> None:
    several = (np.bincount(labels) > 1).sum()
    if several < 2:
        with pytest.raises(InputError, match="fewer than two persons have several"):
            Batches(labels, 16, several=True, seed=0)
        return
    batch = Batches(labels, 16, several=True, seed=0).at(step)
    assert len(set(batch.tolist())) == len(batch)
    counted = np.bincount(labels[batch])
    assert (counted > 0).sum() == min(16 // PHOTOS, several)
    assert counted[counted > 0].min() >= 2
    assert counted.max() <= PHOTOS


def test_a_step_is_the_same_whenever_it_is_asked_for() -> None:
    labels = np.arange(30) // 3
    for several in (False, True):
        batches, again = (Batches(labels, 8, several, seed=4) for _ in range(2))
        expected = [batches.at(step).tolist() for step in range(9)]
        assert [again.at(step).tolist() for step in (7, 2, 8)] == [expected[7], expected[2], expected[8]]
