"""How many faces of strangers are to be expected among many, at a similarity or above."""

from dataclasses import dataclass

import numpy as np

from evaluation.identification import Trials

Array = np.ndarray

COUNTED = 30
"""Pairs of strangers that must be as similar for their share to be counted; beyond, it is extrapolated."""
STEP = 0.01


@dataclass(frozen=True)
class StrangerRates:
    """The share of comparisons of two strangers' faces that reach a similarity.

    similarity: float64 (n,), rising in steps of STEP. rate: float64 (n,), falling, above 0.
    """

    similarity: Array
    rate: Array

    @classmethod
    def of(cls, trials: Trials) -> "StrangerRates | None":
        """Counted on trials down to COUNTED pairs, and from there on as an exponential tail; None of too few pairs.

        The tail (Pickands 1975: the limit of such excesses; of shape 0, which has no end) has the mean excess of
        those COUNTED pairs.
        """
        similarity, comparisons = trials.strangers()
        if len(similarity) < COUNTED:
            return None
        start = float(similarity[COUNTED - 1])
        grid = np.round(np.arange(np.ceil(similarity[-1] / STEP), np.floor(1 / STEP) + 1) * STEP, 2)
        counted = len(similarity) - np.searchsorted(similarity[::-1], grid, side="left")
        scale = float((similarity[:COUNTED] - start).mean())
        beyond = COUNTED * np.exp(-(grid - start) / max(scale, 1e-6))
        rate = np.where(grid <= start, counted, beyond) / comparisons
        return cls(grid, np.maximum(rate, np.finfo(np.float64).tiny))

    def expected(self, similarity: Array, faces: int) -> Array:
        """How many of so many faces of strangers are at least so similar to a face: float64, as `similarity`.

        NaN below the least similarity that was measured.
        """
        rate = np.exp(np.interp(similarity, self.similarity, np.log(self.rate), left=np.nan))
        return faces * rate

    def similarity_at(self, rate: float) -> float:
        """The least similarity that at most this share of comparisons of strangers reaches; 1 if none is that rare, and
        the least similarity that was measured if all are rarer."""
        return float(np.interp(-np.log(rate), -np.log(self.rate), self.similarity, right=1.0))
