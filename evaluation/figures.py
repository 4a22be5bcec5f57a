"""The figures of an evaluation, with their intervals."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.bootstrap import REPLICATES, Interval, draws, intervals
from evaluation.identification import Trials
from evaluation.verification import FARS, Comparisons, Curve

Array = np.ndarray

FPIRS = (1e-1, 1e-2, 1e-3)
RANKS = (1, 5, 10, 20)
_LEAST_EVENTS = 3


@dataclass(frozen=True)
class Figure:
    """One measured figure. `at`: the rate, threshold or rank it is measured at. `value` is None where the data do not
    support one. count: pairs or searches it is a share of.
    """

    metric: str
    value: float | None
    interval: Interval | None
    count: int
    at: float | None = None
    gallery_size: int | None = None


Name = tuple[str, float | None]


def of_pairs(
    comparisons: Comparisons,
    threshold: float,
    seed: int = 0,
    replicates: int = REPLICATES,
    fars: Sequence[float] = FARS,
) -> list[Figure]:
    """Errors at a threshold, and what does not depend on one.

    Raises:
        InputError: there are not both kinds of pairs, or too few persons for an interval.
    """
    whole = Curve.of(comparisons)
    supported = [far for far in fars if whole.supports(far)]

    def measure(weight: Array | None) -> dict[Name, float]:
        curve = Curve.of(comparisons, weight)
        confusion = curve.confusion(threshold)
        fmr, fnmr = curve.at(threshold)
        return {
            ("accuracy", threshold): confusion.accuracy,
            ("precision", threshold): confusion.precision,
            ("recall", threshold): confusion.recall,
            ("f1", threshold): confusion.f1,
            ("fmr", threshold): fmr,
            ("fnmr", threshold): fnmr,
            ("auc", None): curve.auc,
            ("eer", None): curve.eer,
            **{("tar", far): curve.tar_at(far) for far in supported},
        }

    persons = _persons(comparisons)
    counts = {"fmr": int(whole.non_mated), "fnmr": int(whole.mated), "tar": int(whole.mated)}
    ranges = intervals(measure, comparisons.weights(seed), replicates)
    figures = [
        Figure(
            metric,
            value,
            ranges[metric, at].not_nothing(persons),
            counts.get(metric, len(comparisons)),
            at,
        )
        for (metric, at), value in measure(None).items()
    ]
    figures += [Figure("tar", None, None, int(whole.mated), far) for far in fars if far not in supported]
    confusion = whole.confusion(threshold)
    figures += [
        Figure(name, float(round(value)), None, len(comparisons), threshold) for name, value in vars(confusion).items()
    ]
    without = int(np.isneginf(comparisons.similarity).sum())
    figures.append(Figure("not_compared", without / len(comparisons), None, len(comparisons)))
    return figures


def of_searches(
    trials: Trials,
    gallery_size: int,
    threshold: float | None,
    seed: int = 0,
    replicates: int = REPLICATES,
    fpirs: Sequence[float] = FPIRS,
) -> list[Figure]:
    """Errors of searches in a gallery of N: at a threshold (if one is given), at stated FPIRs, and by rank.

    Raises:
        InputError: there are not so many persons, or nobody to be found.
    """
    searches, mated = len(trials.of), int(trials.mated.sum())
    supported = [rate for rate in fpirs if searches * rate >= _LEAST_EVENTS]

    def measure(weight: Array | None) -> dict[Name, float]:
        found: dict[Name, float] = {}
        if threshold is not None:
            found["fpir", threshold] = trials.fpir(gallery_size, threshold, weight)
            found["fnir", threshold] = trials.fnir(gallery_size, threshold, None, weight)
            found["fnir_rank_1", threshold] = trials.fnir(gallery_size, threshold, 1, weight)
        for rate in supported:
            at_rate = trials.threshold_at(gallery_size, rate, weight)
            found["fnir_at_fpir", rate] = trials.fnir(gallery_size, at_rate, None, weight)
            found["threshold_at_fpir", rate] = at_rate
        for rank in RANKS:
            if rank <= gallery_size:
                found["identified_within", rank] = 1 - trials.fnir(gallery_size, -np.inf, rank, weight)
        return found

    values = measure(None)
    ranges = intervals(measure, draws(trials.persons, seed), replicates, around=values)
    figures = [
        Figure(
            metric,
            value,
            _range(metric, ranges[metric, at], trials.persons),
            searches if metric == "fpir" else mated,
            at,
            gallery_size,
        )
        for (metric, at), value in values.items()
    ]
    figures += [
        Figure("fnir_at_fpir", None, None, mated, rate, gallery_size) for rate in fpirs if rate not in supported
    ]
    return figures


def _range(metric: str, interval: Interval, persons: int) -> Interval:
    return interval if metric == "threshold_at_fpir" else interval.of_share().not_nothing(persons)


def _persons(comparisons: Comparisons) -> int:
    """How many independent trials there are at most: persons; pairs, where they are not known."""
    if comparisons.left is None or comparisons.right is None:
        return len(comparisons)
    return len(np.unique(np.concatenate([comparisons.left, comparisons.right])))


def differential(of_groups: dict[str, list[Figure]], metric: str) -> tuple[float, str, str] | None:
    """The largest of the groups' error rates divided by the least that is not zero, and whose they are.

    The ratio that NIST IR 8280 reports across demographics. None where fewer than two groups have an error.
    """
    rates = {
        name: figure.value
        for name, figures in of_groups.items()
        for figure in figures
        if figure.metric == metric and figure.value
    }
    if len(rates) < 2:
        return None
    high, low = max(rates, key=rates.__getitem__), min(rates, key=rates.__getitem__)
    return rates[high] / rates[low], high, low


_NO_VALUE = "none"
_NUMBER = re.compile(r"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?")
"""In text, as a CSV has it: with a point, as codes and years have none."""


def parts(values: Sequence[object], most: int = 12) -> Array:
    """Groups of a column, text (n,): its values; numbers of which there are more than `most` in three equal parts.
    Where there is no value, the group is called none."""
    values = [None if value is None or not str(value).strip() else value for value in values]
    numbers = _numbers(values)
    known = numbers[~np.isnan(numbers)] if numbers is not None else np.empty(0)
    if numbers is None or len(np.unique(known)) <= most:
        return np.array([_NO_VALUE if value is None else str(value) for value in values])
    first, second = np.quantile(known, [1 / 3, 2 / 3])
    names = [f"below {first:.4g}", f"{first:.4g} to {second:.4g}", f"above {second:.4g}", _NO_VALUE]
    which = (numbers > first).astype(int) + (numbers > second).astype(int)
    return np.array(names)[np.where(np.isnan(numbers), 3, which)]


def _numbers(values: Sequence[object]) -> Array | None:
    """float64 (n,), not a number where there is no value; None where one is no number. A CSV has numbers as text."""
    found = np.full(len(values), np.nan)
    for at, value in enumerate(values):
        if isinstance(value, bool):
            return None
        if value is not None:
            if not isinstance(value, int | float) and not (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
                return None
            found[at] = float(value)
    return found


def in_order(values: Sequence[object], groups: Array) -> list[str]:
    """The names of the groups of a column: by its numbers, where it has numbers, else by name."""
    names = [str(name) for name in np.unique(groups)]
    numbers = _numbers(values)
    if numbers is None:
        return names
    return sorted(names, key=lambda name: (name == _NO_VALUE, float(numbers[groups == name].min())))
