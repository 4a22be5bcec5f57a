"""Error rates for galleries larger than the data, by the tail of the similarity to the nearest other person."""

from dataclasses import dataclass

import numpy as np

from udfs.errors import InputError

Array = np.ndarray

SHARE = 0.1
"""The share of probes whose nearest others are taken for the tail."""
_LEAST = 30


@dataclass(frozen=True)
class Tail:
    """The probability that the nearest of `persons` others is at least as similar as T, for T above `start`.

    A generalised Pareto distribution (Pickands 1975; Coles 2001, chapter 4): share * (1 + shape * (T - start) / scale)
    ** (-1 / shape).
    """

    persons: int
    share: float
    start: float
    scale: float
    shape: float

    @classmethod
    def of(cls, nearest: Array, weight: Array, persons: int) -> "Tail":
        """Fit by probability-weighted moments (Hosking and Wallis 1987), which need no search and do not fail on few.

        nearest: float64 (probes,), to the nearest of `persons` others. weight: float (probes,), how often each counts.

        Raises:
            InputError: too few probes.
        """
        nearest, weight = nearest[weight > 0], weight[weight > 0]
        order = np.argsort(nearest)
        ordered, weight = nearest[order], weight[order]
        above = weight.sum() - np.cumsum(weight) + weight  # of this one and of those that are nearer
        tail = (above <= SHARE * weight.sum()) & np.isfinite(ordered)
        if tail.sum() < _LEAST:
            raise InputError(
                f"the tail has {int(tail.sum())} probes, and {_LEAST} are needed; measure on"
                f" {int(_LEAST / SHARE)} images or more"
            )
        below = ordered[~tail & np.isfinite(ordered)]
        start = float(below.max() if len(below) else ordered[tail].min())
        excess, weight = ordered[tail] - start, weight[tail]
        total = weight.sum()
        survival = (total - np.cumsum(weight) + weight / 2) / total
        mean = float((excess * weight).sum() / total)
        moment = float((excess * survival * weight).sum() / total)
        shape = 2 - mean / (mean - 2 * moment)
        return cls(persons, float(total / above.max()), start, 2 * mean * moment / (mean - 2 * moment), shape)

    def fpir(self, gallery_size: int, threshold: float) -> float:
        """FPIR(N, T): that N others all stay below T, if each of them is as likely to reach it as each of `persons`.

        Where some probes resemble many (and others no one), that is more than it will be.
        """
        reached = max(0.0, 1 + self.shape * (threshold - self.start) / self.scale)
        one_of_these = self.share * (reached ** (-1 / self.shape) if reached else 0.0)
        return float(1 - (1 - min(one_of_these, 1.0)) ** (gallery_size / self.persons))

    def threshold_at(self, gallery_size: int, fpir: float) -> float:
        """The similarity at which FPIR(N, T) is this.

        Raises:
            InputError: it would be below the tail that was fitted.
        """
        wanted = 1 - (1 - fpir) ** (self.persons / gallery_size)
        if wanted > self.share:
            raise InputError(
                f"FPIR {fpir:g} at {gallery_size:,} persons lies below the tail that was fitted; ask for a lower FPIR"
            )
        return self.start + self.scale / self.shape * ((wanted / self.share) ** -self.shape - 1)
