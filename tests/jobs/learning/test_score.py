"""After training, as many boxes reach the score of the settings as before."""

import math

import numpy as np
import pytest

from jobs.learning.score import _shift


def shifted(scores: np.ndarray, by: float) -> np.ndarray:
    return 1 / (1 + np.exp(-(np.log(scores / (1 - scores)) + by)))


@pytest.mark.parametrize("count", [1, 3, 4])
def test_so_many_reach_the_score(count: int) -> None:
    scores = np.array([0.2, 0.9, 0.5, 0.3])
    assert (shifted(scores, _shift(scores, count, 0.4)) >= 0.4 - 1e-9).sum() == count


def test_scores_that_mean_the_same_stay() -> None:
    scores = np.array([0.7, shifted(np.array([0.4]), 0.1)[0], shifted(np.array([0.4]), -0.1)[0], 0.1])
    assert _shift(scores, 2, 0.4) == pytest.approx(0, abs=1e-9)
    lower = shifted(scores, -0.5)
    assert _shift(lower, 2, 0.4) == pytest.approx(0.5)


def test_where_nothing_can_be_known_nothing_is_shifted() -> None:
    assert _shift(np.array([0.3, 0.2]), 0, 0.4) == 0
    assert _shift(np.array([0.3, 0.2]), 3, 0.4) == 0
    assert math.isfinite(_shift(np.array([1.0, 1.0]), 2, 0.4))
