"""From which similarity on faces are linked."""

import numpy as np
import pytest

from evaluation.strangers import StrangerRates
from jobs.decisions.linking import linking_rate, linking_threshold
from tests.rows import put
from tests.support import EMBEDDER, MakeContext
from udfs.errors import InputError

RATES = [{"similarity": 0.5, "rate": 1e-3}, {"similarity": 0.7, "rate": 1e-5}, {"similarity": 0.9, "rate": 1e-7}]


def test_the_more_faces_the_rarer_and_by_powers_of_two() -> None:
    assert linking_rate(1024) == linking_rate(1001) == 0.1 / 1024
    assert linking_rate(1025) == linking_rate(1024) / 2
    assert linking_rate(0) == linking_rate(1) == linking_rate(500) == 1e-4


def test_rates_are_read_backwards() -> None:
    rates = StrangerRates(*(np.array([of[name] for of in RATES]) for name in ("similarity", "rate")))
    assert rates.similarity_at(1e-4) == pytest.approx(0.6)
    assert rates.similarity_at(1e-9) == 1.0
    assert rates.similarity_at(0.5) == 0.5
    assert rates.expected(np.array([rates.similarity_at(1e-6)]), 10**6)[0] == pytest.approx(1.0)


@pytest.mark.slow
def test_a_calibration_decides_else_what_is_packaged(make_context: MakeContext) -> None:
    context = make_context()
    packaged = context.settings.threshold(EMBEDDER)
    found = linking_threshold(context, "c", EMBEDDER, 1000, 1e-4)
    assert (found.similarity, found.source) == (packaged.match, packaged.source)
    assert linking_threshold(context, "c", EMBEDDER, 1000, 1e-5).similarity == pytest.approx(
        2 * packaged.match - packaged.review
    )
    assert any("run `rollcall calibrate`" in line for line in make_context.said)
    with pytest.raises(InputError, match="not known for another"):
        linking_threshold(context, "c", "another", 1000, None)
    put(context, "thresholds", {"threshold_id": "t", "run_id": "r", "stranger_rates": RATES})
    found = linking_threshold(context, "c", "another", 100, 1e-5)
    assert (found.similarity, found.source) == (pytest.approx(0.7), "calibration")
    assert linking_threshold(context, "c", "another", 2000, None).false_link_rate == 0.1 / 2048
