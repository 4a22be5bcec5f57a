"""Confidence intervals, by drawing persons again with replacement (Efron and Tibshirani 1993, chapter 13).

Pictures of one person err together. So it is persons that are drawn, not pictures: intervals from pictures would be
too narrow.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np

from udfs.errors import InputError

Array = np.ndarray
Name = TypeVar("Name")

REPLICATES = 500
LEVEL = 0.95


class Interval(NamedTuple):
    """The middle 95% of what the replicates gave."""

    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float], around: float | None = None) -> "Interval":
        """values: float (replicates,). around: shift them so that their median is this, for figures that draws are
        known to miss: a person who is drawn twice is in a gallery twice, and counts as one stranger less.
        """
        found = np.fromiter(values, np.float64)
        low, middle, high = np.quantile(found, [(1 - LEVEL) / 2, 0.5, (1 + LEVEL) / 2])
        shift = 0.0 if around is None else around - middle
        return cls(float(low + shift), float(high + shift))

    def of_share(self) -> "Interval":
        """Cut to what a share can be."""
        return Interval(min(max(self.low, 0.0), 1.0), min(max(self.high, 0.0), 1.0))

    def not_nothing(self, trials: int) -> "Interval":
        """The interval; where a share was 0, or 1, in all draws, what so many trials can show of it.

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
    """One such draw after another, without end."""
    random = np.random.default_rng(seed)
    while True:
        yield drawn(count, random)


def intervals(
    measure: Callable[[Array], dict[Name, float]],
    weights: Iterator[Array],
    replicates: int = REPLICATES,
    around: dict[Name, float] | None = None,
) -> dict[Name, Interval]:
    """The interval of each figure that `measure` gives for weights; `around` as in `Interval.of`.

    A draw in which a figure is not defined (it has no mated pair, say) raises InputError, and is drawn again.

    Raises:
        InputError: more draws fail than succeed; the last one's reason.
    """
    found: list[dict[Name, float]] = []
    failed = 0
    while len(found) < replicates:
        try:
            found.append(measure(next(weights)))
        except InputError as error:
            failed += 1
            if failed > replicates:
                raise InputError(f"too few persons for an interval ({error}); measure on more persons") from error
    middles = around or {}
    return {name: Interval.of((figures[name] for figures in found), middles.get(name)) for name in found[0]}
