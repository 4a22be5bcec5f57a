"""Rates of presentation attacks, against figures that were worked out by hand or are printed in tables."""

import numpy as np
import pytest
from scipy.stats import binom

from evaluation.attacks import Presentations, exact, figures
from evaluation.figures import Figure
from udfs.errors import InputError


def the(found: list[Figure], metric: str, at: float | None = None) -> Figure:
    (figure,) = [each for each in found if each.metric == metric and at in (None, each.at)]
    return figure


def made(**scores: list[float | None]) -> Presentations:
    rows = [(score, "" if name == "live" else name) for name, of in scores.items() for score in of]
    return Presentations.of(*zip(*rows, strict=True))


def test_the_exact_interval() -> None:
    assert exact(0, 10) == pytest.approx((0, 0.3085), abs=1e-4)  # as tables have it
    assert exact(1, 10) == pytest.approx((0.0025, 0.4450), abs=1e-4)
    assert exact(10, 10) == pytest.approx((0.6915, 1), abs=1e-4)
    for errors, trials in ((3, 40), (17, 31)):
        low, high = exact(errors, trials)
        assert 1 - binom.cdf(errors - 1, trials, low) == pytest.approx(0.025)
        assert binom.cdf(errors, trials, high) == pytest.approx(0.025)


def test_the_worst_species_counts() -> None:
    presentations = made(
        live=[0.9, 0.8, 0.7, 0.4],
        print=[0.1, 0.2, 0.3, 0.6],
        mask=[0.5, 0.6, 0.2],
        replay=[0.1, 0.1],
    )
    found = figures(presentations, 0.5)
    rates = {name: the(of, "apcer").value for name, of in found.items() if name}
    assert rates == {"mask": 2 / 3, "print": 1 / 4, "replay": 0}
    worst = the(found[""], "apcer")
    assert (worst.value, worst.count) == (2 / 3, 3)
    assert the(found[""], "bpcer").value == 1 / 4  # at the threshold itself a score is a live person's
    assert the(figures(presentations, 0.4)[""], "bpcer").value == 0


def test_who_gives_no_answer_is_refused_and_counted() -> None:
    found = figures(made(live=[0.9, None], print=[None, 0.1, 0.9]), 0.5)
    assert the(found[""], "bpcer").value == the(found[""], "bpnrr").value == 1 / 2
    assert the(found["print"], "apcer").value == the(found["print"], "apnrr").value == 1 / 3


def test_a_rate_is_stated_only_where_there_are_attacks_enough() -> None:
    random = np.random.default_rng(0)
    live, prints, masks = random.normal(3, 1, 200), random.normal(0, 1, 60), random.normal(1, 1, 60)
    presentations = made(live=list(live), print=list(prints), mask=list(masks))
    at = presentations.threshold_at(0.05)
    lower = np.nextafter(at, -np.inf)
    assert max((of >= at).sum() for of in (prints, masks)) <= 3
    assert max((of >= lower).sum() for of in (prints, masks)) == 4  # it is the lowest such threshold
    of_all = figures(presentations, None)[""]
    assert the(of_all, "bpcer_at_apcer", 0.05).value == (live < at).mean()
    assert the(of_all, "threshold_at_apcer", 0.05).value == at
    assert not [each for each in of_all if each.metric in ("apcer", "bpcer")]
    fewer = figures(made(live=list(live), print=list(prints), mask=list(masks[:59])), None)[""]
    assert the(fewer, "bpcer_at_apcer", 0.05).value is the(fewer, "threshold_at_apcer", 0.05).value is None
    assert the(fewer, "bpcer_at_apcer", 0.1).value is not None


@pytest.mark.parametrize(
    ("scores", "said"), [({"live": [0.1]}, "no attacks"), ({"print": [0.1]}, "no bona fide presentations")]
)
def test_both_kinds_are_needed(scores: dict[str, list[float | None]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        made(**scores)
