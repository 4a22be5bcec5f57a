"""The threshold that keeps a stated error rate, and how sure that is."""

from dataclasses import dataclass

import numpy as np

from evaluation.bootstrap import Interval, drawn
from evaluation.identification import Trials
from evaluation.pareto_tail import Tail
from evaluation.verification import Comparisons
from udfs.errors import InputError

Array = np.ndarray

REPLICATES = 200
COUNTED = 0.8
"""Up to this share of the persons a gallery is drawn from them; a larger one takes the tail."""
_LEAST_EVENTS = 5
_WIDEST = 10.0


@dataclass(frozen=True)
class Calibration:
    """The similarity at which searches in a gallery of N persons have a stated FPIR.

    threshold: cosine; threshold_interval: 95%, over samples of as many persons. fpir: the rate that was requested.
    method: `counted`, on galleries drawn from the data; fpir_interval is then where 95% of evaluations of another such
    sample of persons would find the rate at this threshold: it has the error of the calibration in it, and that of the
    evaluation. Or `extrapolated`, by the tail of the nearest others; fpir_interval is then where the rate itself lies,
    as far as the fit can tell: nobody could measure it on as many persons.
    """

    gallery_size: int
    fpir: float
    threshold: float
    threshold_interval: Interval
    fpir_interval: Interval
    method: str


def calibrate(
    trials: Trials, gallery_size: int, fpir: float, replicates: int = REPLICATES, seed: int = 0
) -> Calibration:
    """Find the threshold, and repeat that on persons drawn again.

    Raises:
        InputError: there are too few searches or persons; the message says what it takes.
    """
    searches = len(trials.of)
    if searches * fpir < _LEAST_EVENTS:
        raise InputError(
            f"FPIR {fpir:g} is {searches * fpir:.1f} of {searches:,} searches; it takes"
            f" {int(np.ceil(_LEAST_EVENTS / fpir)):,} or more to measure it: add photos, or ask for a higher FPIR"
        )
    counted = gallery_size <= COUNTED * trials.persons
    rate = _counted if counted else _extrapolated
    random = np.random.default_rng(seed)
    everyone = rate(trials, gallery_size, np.ones(trials.persons, np.int64))
    thresholds, rates = [], []
    for _ in range(replicates):
        thresholds.append(rate(trials, gallery_size, drawn(trials.persons, random)).threshold_at(fpir))
        measured_on = rate(trials, gallery_size, drawn(trials.persons, random)) if counted else everyone
        rates.append(measured_on.fpir(thresholds[-1]))
    found = everyone.threshold_at(fpir)
    interval = Interval.of(rates)
    if not counted and (interval.high > _WIDEST * fpir or interval.low < fpir / _WIDEST):
        raise InputError(
            f"{trials.persons:,} persons are too few for FPIR {fpir:g} at {gallery_size:,}: it may be"
            f" {interval.low:.1g} to {interval.high:.1g}; measure on more persons, or ask for a smaller gallery"
        )
    return Calibration(
        gallery_size, fpir, found, Interval.of(thresholds, found), interval, "counted" if counted else "extrapolated"
    )


@dataclass(frozen=True)
class Band:
    """FPIR by the size of the gallery, at one threshold, with the 95% interval of the fit; all arrays (sizes,)."""

    sizes: Array
    rates: Array
    low: Array
    high: Array


def beyond(trials: Trials, sizes: Array, threshold: float, replicates: int = 100, seed: int = 0) -> Band | None:
    """FPIR in galleries larger than the data, by the tail; None where data or threshold do not reach into it."""
    random = np.random.default_rng(seed)

    def of(weight: Array) -> Array:
        tail = Tail.of(trials.nearest_of(weight), weight[trials.of], int(np.count_nonzero(weight)) - 1)
        if threshold < tail.start:
            raise InputError("the threshold lies below the tail")
        return np.array([tail.fpir(int(size), threshold) for size in sizes])

    try:
        rates = of(np.ones(trials.persons, np.int64))
        drawn_again = np.stack([of(drawn(trials.persons, random)) for _ in range(replicates)])
    except InputError:
        return None
    low, high = np.quantile(drawn_again, [0.025, 0.975], axis=0)
    return Band(sizes, rates, low, high)


@dataclass(frozen=True)
class _Counted:
    """Galleries drawn from the persons of a draw."""

    trials: Trials
    gallery_size: int
    weight: Array

    def threshold_at(self, fpir: float) -> float:
        return self.trials.threshold_at(self.gallery_size, fpir, self.weight)

    def fpir(self, threshold: float) -> float:
        return self.trials.fpir(self.gallery_size, threshold, self.weight)


@dataclass(frozen=True)
class _Extrapolated:
    """Galleries larger than the data."""

    tail: Tail
    gallery_size: int

    def threshold_at(self, fpir: float) -> float:
        return self.tail.threshold_at(self.gallery_size, fpir)

    def fpir(self, threshold: float) -> float:
        return self.tail.fpir(self.gallery_size, threshold)


def _counted(trials: Trials, gallery_size: int, weight: Array) -> _Counted:
    return _Counted(trials, gallery_size, weight)


def _extrapolated(trials: Trials, gallery_size: int, weight: Array) -> _Extrapolated:
    others = int(np.count_nonzero(weight)) - 1
    return _Extrapolated(Tail.of(trials.nearest_of(weight), weight[trials.of], others), gallery_size)


@dataclass(frozen=True)
class Probability:
    """How likely two images show one person, by their similarity, where both are equally likely beforehand.

    1 / (1 + exp(-(intercept + slope * similarity))): logistic regression (Platt 1999), both kinds weighing the same.
    For other odds beforehand, multiply the odds.
    """

    intercept: float
    slope: float

    @classmethod
    def of(cls, comparisons: Comparisons) -> "Probability":
        """Fit to the pairs in which both faces were found.

        Raises:
            InputError: they are not of both kinds.
        """
        found = np.isfinite(comparisons.similarity)
        if len(np.unique(comparisons.mated[found])) < 2:
            raise InputError(
                "a probability needs mated and non-mated pairs in which faces were found; add pairs of both kinds"
            )
        from sklearn.linear_model import LogisticRegression  # here, as it takes a second to import

        model = LogisticRegression(C=np.inf, class_weight="balanced")
        model.fit(comparisons.similarity[found, None], comparisons.mated[found])
        return cls(float(model.intercept_[0]), float(model.coef_[0, 0]))

    def at(self, similarity: Array) -> Array:
        """float64 (n,) -> float64 (n,)."""
        return 1 / (1 + np.exp(-(self.intercept + self.slope * similarity)))
