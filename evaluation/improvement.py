"""Whether one embedder misses fewer persons than another, on the same photos of the same persons.

The two err on the same photos, so what matters is the difference, and how it changes as persons are drawn again: two
intervals that overlap may well belong to a difference that is certain.
"""

from dataclasses import dataclass

import numpy as np

from evaluation.bootstrap import Interval, draws, intervals
from evaluation.identification import Trials

Array = np.ndarray

REPLICATES = 200
_OF_STRANGERS = 5e-3
"""The share of strangers' pairs that is kept: thresholds of the rates that are asked for are far above."""
_SAMPLE = 1000


@dataclass(frozen=True)
class Change:
    """The share that is missed by the one (`before`) and by the other (`after`), the difference (below 0 where the
    other misses less), and its 95% interval."""

    before: float
    after: float
    difference: Interval

    @property
    def better(self) -> bool:
        """Whether the other one misses fewer, beyond doubt."""
        return self.difference.high < 0

    @property
    def worse(self) -> bool:
        """Whether it misses more, beyond doubt."""
        return self.difference.low > 0

    @property
    def gain(self) -> float:
        """The share of the misses that are won back; below 0 where there are more."""
        return 1 - self.after / self.before if self.before else 0.0


@dataclass(frozen=True)
class Improvement(Change):
    """Of FNIR at an FPIR in a gallery of N; its interval is over persons."""

    fpir: float
    gallery_size: int


def improvement(before: Trials, after: Trials, gallery_size: int, fpir: float, seed: int = 0) -> Improvement:
    """Compare two embedders by the same searches.

    Raises:
        InputError: there are not so many persons, or nobody to be found.
    """

    def measure(weight: Array | None) -> dict[str, float]:
        one, other = (_missed(of, gallery_size, fpir, weight) for of in (before, after))
        return {"before": one, "after": other, "difference": other - one}

    values = measure(None)
    found = intervals(measure, draws(before.persons, seed), REPLICATES, around=values)
    return Improvement(values["before"], values["after"], found["difference"], fpir, gallery_size)


def _missed(trials: Trials, gallery_size: int, fpir: float, weight: Array | None) -> float:
    return trials.fnir(gallery_size, trials.threshold_at(gallery_size, fpir, weight), None, weight)


def floor(vectors: Array, of: Array) -> float:
    """A similarity below which pairs need not be kept: few strangers are above it. vectors: float32 (photos, d);
    zeros where there is no face. of: int (photos,), whom they show."""
    there = np.flatnonzero(vectors.any(axis=1))
    some = there[np.linspace(0, len(there) - 1, min(_SAMPLE, len(there))).astype(np.intp)]
    strangers = (vectors[some] @ vectors[some].T)[of[some][:, None] != of[some]]
    least = float(np.quantile(strangers, 1 - _OF_STRANGERS)) if len(strangers) else 0.0
    return max(least, 1e-3)
