import numpy as np
import pytest

from evaluation.bootstrap import Interval, intervals
from evaluation.calibration import Probability, beyond, calibrate
from evaluation.identification import Trials
from evaluation.pareto_tail import Tail
from evaluation.verification import Comparisons
from udfs.errors import InputError

Array = np.ndarray


def people(persons: int, seed: int, photos: int = 2, dimension: int = 32) -> Trials:
    random = np.random.default_rng(seed)
    of = np.repeat(np.arange(persons), photos)
    vectors = random.normal(size=(persons, dimension))[of] + 0.5 * random.normal(size=(len(of), dimension))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Trials.between(vectors, of, np.tile(np.arange(photos) == 0, persons), floor=0.2)


def test_the_threshold_holds_the_rate_that_was_asked_for() -> None:
    trials = people(300, seed=0)
    found = calibrate(trials, 100, 0.02, replicates=50)
    assert found.method == "counted"
    assert 0.015 < trials.fpir(100, found.threshold) <= 0.02
    assert found.threshold_interval.low <= found.threshold <= found.threshold_interval.high
    assert found.fpir_interval.low < 0.02 < found.fpir_interval.high
    assert found == calibrate(trials, 100, 0.02, replicates=50), "the seed decides"


def test_a_larger_gallery_needs_a_higher_threshold() -> None:
    trials = people(300, seed=0)
    thresholds = [calibrate(trials, size, 0.02, replicates=20).threshold for size in (50, 100, 200, 400, 800)]
    assert thresholds == sorted(thresholds)


def test_the_interval_covers_what_other_persons_show() -> None:
    inside = []
    for seed in range(40):
        found = calibrate(people(200, seed), 100, 0.02, replicates=60, seed=seed)
        measured = people(200, seed + 1000).fpir(100, found.threshold)
        inside.append(found.fpir_interval.low <= measured <= found.fpir_interval.high)
    assert np.mean(inside) >= 0.9


def test_sizes_beyond_the_data_are_held_against_larger_data() -> None:
    """Set on 400 persons for a gallery of 1,500, by the tail; measured on 2,000 others."""
    large = people(2_000, seed=99, photos=1)
    inside = []
    for seed in range(20):
        found = calibrate(people(400, seed), 1_500, 0.05, replicates=60, seed=seed)
        assert found.method == "extrapolated"
        inside.append(found.fpir_interval.low <= large.fpir(1_500, found.threshold) <= found.fpir_interval.high)
    assert np.mean(inside) >= 0.8


def test_too_little_data_is_refused() -> None:
    with pytest.raises(InputError, match="it takes 5,000 or more"):
        calibrate(people(300, seed=0), 100, 0.001)
    with pytest.raises(InputError, match=r"persons are too few for FPIR 0\.01 at 1,000,000"):
        calibrate(people(300, seed=0), 1_000_000, 0.01, replicates=40)


def test_a_known_tail_is_found_again() -> None:
    """Exponential maxima: shape 0, and the scale that was drawn."""
    random = np.random.default_rng(0)
    nearest = random.exponential(0.05, 20_000) + 0.3
    tail = Tail.of(nearest, np.ones(len(nearest)), 100)
    assert tail.scale == pytest.approx(0.05, rel=0.1)
    assert tail.shape == pytest.approx(0, abs=0.08)
    threshold = tail.threshold_at(100, 0.01)
    assert (nearest >= threshold).mean() == pytest.approx(0.01, rel=0.15)
    assert tail.fpir(100, threshold) == pytest.approx(0.01)
    assert tail.fpir(1_000, tail.threshold_at(1_000, 0.01)) == pytest.approx(0.01)


def test_probabilities_are_those_the_pairs_were_drawn_with() -> None:
    random = np.random.default_rng(0)
    similarity = random.uniform(0, 1, 20_000)
    mated = random.uniform(size=len(similarity)) < 1 / (1 + np.exp(-(-6 + 12 * similarity)))
    found = Probability.of(Comparisons(similarity, mated))
    assert found.slope == pytest.approx(12, rel=0.05)
    assert found.at(np.array([0.5])) == pytest.approx(0.5, abs=0.02)
    with pytest.raises(InputError, match="mated and non-mated"):
        Probability.of(Comparisons(np.array([0.5, -np.inf]), np.array([True, False])))


def test_sizes_beyond_the_data_are_drawn_with_a_band() -> None:
    trials, sizes = people(300, seed=0, photos=3), np.array([240, 1_000, 4_000])
    threshold = trials.threshold_at(240, 0.02)
    band = beyond(trials, sizes, threshold, replicates=30)
    assert band is not None
    assert band.rates[0] == pytest.approx(0.02, rel=0.5)
    assert (np.diff(band.rates) > 0).all()
    assert ((band.low <= band.rates) & (band.rates <= band.high)).all()
    assert beyond(trials, sizes, threshold=0.3) is None


def test_what_was_never_seen_is_not_impossible() -> None:
    assert Interval(0.0, 0.0).not_nothing(100) == pytest.approx((0.0, 1 - 0.025**0.01))
    assert Interval(1.0, 1.0).not_nothing(100) == pytest.approx((0.025**0.01, 1.0))
    assert Interval(0.0, 0.1).not_nothing(100) == (0.0, 0.1)


def test_draws_that_are_beside_the_figure_are_shifted() -> None:
    assert Interval.of([1.0, 2.0, 3.0], around=5.0) == pytest.approx((4.05, 5.95))
    assert Interval(-0.1, 1.2).of_share() == (0.0, 1.0)


def test_an_interval_has_the_width_the_textbook_says() -> None:
    """The mean of n draws: 1.96 standard errors to each side."""
    random = np.random.default_rng(0)
    values = random.normal(size=400)

    def weights() -> object:
        while True:
            yield np.bincount(random.integers(0, 400, 400), minlength=400)

    found = intervals(lambda weight: {"mean": float((values * weight).sum() / 400)}, weights(), 2_000)  # type: ignore[arg-type]
    error = values.std() / 20
    assert found["mean"].low == pytest.approx(values.mean() - 1.96 * error, abs=0.02)
    assert found["mean"].high == pytest.approx(values.mean() + 1.96 * error, abs=0.02)
