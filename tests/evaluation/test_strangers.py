"""How many strangers are to be expected: counted, and beyond the data extrapolated."""

import numpy as np
import pytest

from evaluation.identification import Trials
from evaluation.strangers import COUNTED, StrangerRates
from tests.rows import unit


def trials(persons: int, seed: int, dimension: int = 8) -> Trials:
    """Faces in random directions: all others are strangers."""
    vectors, of = unit(2 * persons, seed, dimension), np.repeat(np.arange(persons), 2)
    enrolled = np.tile([True, False], persons)
    return Trials.between(vectors, of, enrolled, -1.0)


def test_rates_are_shares_of_comparisons() -> None:
    measured = trials(200, 1)
    rates = StrangerRates.of(measured)
    assert rates is not None
    similarity, comparisons = measured.strangers()
    assert comparisons == 400 * 199
    for at in (0.0, 0.3, 0.5, 0.7):
        assert rates.expected(np.array([at]), 1)[0] == pytest.approx((similarity >= at).sum() / comparisons)
    assert (np.diff(rates.rate) <= 0).all()
    assert (rates.rate > 0).all()


@pytest.mark.slow
def test_it_holds_for_other_strangers_and_beyond_what_was_counted() -> None:
    rates = StrangerRates.of(trials(200, 1))
    assert rates is not None
    others, comparisons = trials(2000, 2).strangers()
    for at in (0.2, 0.5, 0.7, 0.8):
        expected = rates.expected(np.array([at]), comparisons)[0]
        assert expected == pytest.approx((others >= at).sum(), rel=0.25)
    few = StrangerRates.of(trials(60, 3))
    assert few is not None
    start = trials(60, 3).strangers()[0][COUNTED - 1]
    beyond = float(np.round(start, 2)) + 0.04
    assert few.expected(np.array([beyond]), comparisons)[0] == pytest.approx((others >= beyond).sum(), rel=0.8)


def test_nothing_is_said_below_the_floor_or_of_too_few() -> None:
    vectors, of = unit(20, 1), np.arange(20)
    assert StrangerRates.of(Trials.between(vectors, of, np.ones(20, bool), 0.9)) is None
    floored = StrangerRates.of(Trials.between(unit(400, 1), np.arange(400), np.ones(400, bool), 0.4))
    assert floored is not None
    assert np.isnan(floored.expected(np.array([0.1]), 10)).all()
