"""Confidence intervals, by drawing persons again with replacement (Efron and Tibshirani 1993, chapter 13).

Pictures of one person err together. So it is persons that are drawn, not pictures: intervals from pictures would be
too narrow.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from udfs.errors import InputError

Array = np.ndarray

REPLICATES = 500
LEVEL = 0.95


class Interval(NamedTuple):
    """The middle 95% of what the replicates gave."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float], level: float = LEVEL) -> "Interval":
        """values: float (replicates,)."""
        low, high = np.quantile(np.fromiter(values, np.float64), [(1 - level) / 2, (1 + level) / 2])
        return cls(float(low), float(high))

    def not_nothing(self, trials: int) -> "Interval":
        """Where a share came out as 0, or as 1, in all draws: what so many trials can say of it.

        No draw can hold an error that was not seen. The exact interval (Clopper and Pearson 1934) for none of `trials`
        is 0 to 1 - 0.025 ** (1 / trials).
        """
        least = ((1 - LEVEL) / 2) ** (1 / max(trials, 1))
        if self == (0.0, 0.0):
            return Interval(0.0, 1 - least)
        return Interval(least, 1.0) if self == (1.0, 1.0) else self


def drawn(count: int, random: np.random.Generator) -> Array:
    """How often each of `count` was drawn, in as many draws with replacement: int64 (count,)."""
    return np.bincount(random.integers(0, count, count), minlength=count)


def draws(count: int, seed: int) -> Iterator[Array]:
    """One draw after the other."""
    random = np.random.default_rng(seed)
    while True:
        yield drawn(count, random)


def intervals(
    measure: Callable[[Array], dict[str, float]], weights: Iterator[Array], replicates: int = REPLICATES
) -> dict[str, Interval]:
    """The interval of each figure that `measure` gives for weights.

    A draw in which a figure is not defined (it has no mated pair, say) raises InputError, and is drawn again.

    Raises:
        InputError: more draws fail than succeed; the last one's reason.
    """
    found: list[dict[str, float]] = []
    failed = 0
    while len(found) < replicates:
        try:
            found.append(measure(next(weights)))
        except InputError as error:
            failed += 1
            if failed > replicates:
                raise InputError(f"too few persons for an interval: {error}") from error
    return {name: Interval.of(figures[name] for figures in found) for name in found[0]}
