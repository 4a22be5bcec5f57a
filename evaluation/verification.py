"""1:1 verification: how often pairs are decided wrongly, at every threshold.

A pair is accepted at or above the threshold. FMR (ISO/IEC 19795-1): the share of non-mated pairs that is accepted;
FNMR: the share of mated pairs that is not. TAR at a FAR is 1 - FNMR where FMR is that rate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluation.bootstrap import drawn
from udfs.errors import InputError

Array = np.ndarray

FARS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
_LEAST_ERRORS = 3
"""A rate is supported by as many pairs as let so many errors be expected at it: with fewer, even none at all would
leave the rate in doubt (the rule of three)."""


@dataclass(frozen=True)
class Comparisons:
    """Pairs of images that were compared; all arrays (n,).

    similarity: float64; -inf where a side has no face: accepted at no threshold. mated: bool, whether both show one
    person. left, right: int, numbers of the persons shown; None where it is not known who they are.
    """

    similarity: Array
    mated: Array
    left: Array | None = None
    right: Array | None = None

    def __post_init__(self) -> None:
        if np.isnan(self.similarity).any():
            raise ValueError("a similarity is not a number; give a pair without a face -inf")

    def __len__(self) -> int:
        return len(self.similarity)

    def taken(self, which: Array) -> "Comparisons":
        """Some of the pairs."""
        left, right = (None if side is None else side[which] for side in (self.left, self.right))
        return Comparisons(self.similarity[which], self.mated[which], left, right)

    def weights(self, seed: int = 0) -> Iterator[Array]:
        """How often each pair counts, float64 (n,), as persons are drawn with replacement; without persons, as
        pairs of each kind are."""
        random = np.random.default_rng(seed)
        while True:
            if self.left is None or self.right is None:
                weight = np.empty(len(self))
                for kind in (self.mated, ~self.mated):
                    weight[kind] = drawn(int(kind.sum()), random) if kind.any() else 0
            else:
                persons = drawn(int(max(self.left.max(), self.right.max())) + 1, random).astype(np.float64)
                weight = np.where(self.mated, persons[self.left], persons[self.left] * persons[self.right])
            yield weight


@dataclass(frozen=True)
class Confusion:
    """Numbers of pairs, weighted: accepted mated, accepted non-mated, refused non-mated, refused mated."""

    true_matches: float
    false_matches: float
    true_non_matches: float
    false_non_matches: float

    @property
    def accuracy(self) -> float:
        """The share of pairs that is decided rightly."""
        right = self.true_matches + self.true_non_matches
        return right / (right + self.false_matches + self.false_non_matches)

    @property
    def precision(self) -> float:
        """The share of accepted pairs that is mated; 1 where none is accepted, as none is wrong."""
        accepted = self.true_matches + self.false_matches
        return self.true_matches / accepted if accepted else 1.0

    @property
    def recall(self) -> float:
        """The share of mated pairs that is accepted."""
        return self.true_matches / (self.true_matches + self.false_non_matches)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.true_matches / (2 * self.true_matches + self.false_matches + self.false_non_matches)


@dataclass(frozen=True)
class Curve:
    """The errors at every threshold that matters.

    thresholds: float64 (t,), falling: +inf, and each similarity at which more pairs are accepted.
    fmr, fnmr: float64 (t,). mated, non_mated: how many pairs there are, weighted.
    """

    thresholds: Array
    fmr: Array
    fnmr: Array
    mated: float
    non_mated: float

    @classmethod
    def of(cls, comparisons: Comparisons, weight: Array | None = None) -> "Curve":
        """weight: float64 (n,), how often each pair counts; once, unless given.

        Raises:
            InputError: there are not both kinds of pairs.
        """
        weight = np.ones(len(comparisons)) if weight is None else weight
        of_mated = np.where(comparisons.mated, weight, 0.0)
        of_others = weight - of_mated
        mated, others = float(of_mated.sum()), float(of_others.sum())
        if not mated or not others:
            have, lack = ("mated", "non-mated") if mated else ("non-mated", "mated")
            raise InputError(f"only {have} pairs, and error rates need both kinds; add {lack} pairs")
        found = np.isfinite(comparisons.similarity)
        similarity = comparisons.similarity[found]
        order = np.argsort(-similarity, kind="stable")
        ordered = similarity[order]
        last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.empty(0, np.intp)
        return cls(
            thresholds=np.concatenate([[np.inf], ordered[last]]),
            fmr=np.concatenate([[0.0], np.cumsum(of_others[found][order])[last] / others]),
            fnmr=1 - np.concatenate([[0.0], np.cumsum(of_mated[found][order])[last] / mated]),
            mated=mated,
            non_mated=others,
        )

    def at(self, threshold: float) -> tuple[float, float]:
        """FMR and FNMR."""
        place = int(np.searchsorted(-self.thresholds, -threshold, side="right")) - 1
        return float(self.fmr[place]), float(self.fnmr[place])

    def threshold_at(self, fmr: float) -> float:
        """The lowest threshold at which FMR is not higher than this; just above all similarities, if at none."""
        place = int(np.searchsorted(self.fmr, fmr, side="right")) - 1
        highest = self.thresholds[1] if len(self.thresholds) > 1 else 1.0
        return float(self.thresholds[place] if place else np.nextafter(highest, np.inf))

    def tar_at(self, far: float) -> float:
        """1 - FNMR at `threshold_at(far)`."""
        return float(1 - self.fnmr[np.searchsorted(self.fmr, far, side="right") - 1])

    def supports(self, far: float) -> bool:
        """Whether there are enough pairs to measure this rate."""
        return self.non_mated * far >= _LEAST_ERRORS

    def confusion(self, threshold: float) -> Confusion:
        """What becomes of the pairs at a threshold."""
        fmr, fnmr = self.at(threshold)
        return Confusion(self.mated * (1 - fnmr), self.non_mated * fmr, self.non_mated * (1 - fmr), self.mated * fnmr)

    @cached_property
    def auc(self) -> float:
        """The area under the ROC: how often a mated pair is more similar than a non-mated one, ties by half."""
        fmr, tar = np.append(self.fmr, 1.0), np.append(1 - self.fnmr, 1.0)  # pairs without a face are ties
        return float(np.trapezoid(tar, fmr))

    @cached_property
    def eer(self) -> float:
        """The rate at which FMR and FNMR are equal, between two thresholds where neither has it."""
        fmr, fnmr = np.append(self.fmr, 1.0), np.append(self.fnmr, 0.0)
        after = int(np.argmax(fmr >= fnmr))
        before = after - 1
        gap, next_gap = fnmr[before] - fmr[before], fnmr[after] - fmr[after]
        share = gap / (gap - next_gap)
        return float(fmr[before] + share * (fmr[after] - fmr[before]))

    @cached_property
    def best_threshold(self) -> float:
        """The threshold at which most pairs are decided rightly.

        Of several that are equally good the one in the middle, and half-way to the next similarity below: other
        pairs are as likely to fall on either side.
        """
        right = (1 - self.fnmr) * self.mated + (1 - self.fmr) * self.non_mated
        best = np.flatnonzero(right >= right.max() * (1 - 1e-12))
        place = int(best[len(best) // 2])
        high = float(self.thresholds[place])
        low = float(self.thresholds[place + 1]) if place + 1 < len(self.thresholds) else high
        if np.isinf(high):  # best to accept nothing
            return float(np.nextafter(low, np.inf))
        middle = (high + low) / 2
        return middle if middle > low else high


@dataclass(frozen=True)
class Folds:
    """Accuracy by folds: of each at the threshold that was best on the others.

    accuracies, thresholds: float64 (folds,).
    """

    accuracies: Array
    thresholds: Array

    @classmethod
    def of(cls, comparisons: Comparisons, fold: Array) -> "Folds":
        """fold: int (n,), which fold each pair is in.

        Huang et al. 2007, "Labeled Faces in the Wild", section 4: view 2, the mean of ten and its standard error.
        """
        accuracies, thresholds = [], []
        for number in np.unique(fold):
            here = fold == number
            threshold = Curve.of(comparisons.taken(~here)).best_threshold
            tested = comparisons.taken(here)
            accuracies.append(float(((tested.similarity >= threshold) == tested.mated).mean()))
            thresholds.append(threshold)
        return cls(np.array(accuracies), np.array(thresholds))

    @property
    def mean(self) -> float:
        """The mean accuracy."""
        return float(self.accuracies.mean())

    @property
    def standard_error(self) -> float:
        """Of the mean."""
        return float(self.accuracies.std(ddof=1) / np.sqrt(len(self.accuracies)))
