"""Presentation attacks: how often a score takes an attack for a live person, and a live person for an attack.

The terms are those of ISO/IEC 30107-3. APCER is stated for each species of attack (each kind of instrument, such as
print, replay or mask), as an attacker chooses the one that works; the highest is the one that counts. An average over
species, and of APCER and BPCER (ACER), would hide it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from evaluation.bootstrap import LEVEL, Interval
from evaluation.figures import Figure
from udfs.errors import InputError

Array = np.ndarray

RATES = (0.05, 0.1)
"""APCER at which BPCER is stated: the standard calls these BPCER20 and BPCER10."""
_LEAST_EVENTS = 3
"""Attacks of each species that would be expected to succeed at a rate, for the rate to be stated."""


def exact(errors: int, trials: int) -> Interval:
    """The exact 95% interval of a share (Clopper and Pearson 1934), for trials that do not depend on each other."""
    tail = (1 - LEVEL) / 2
    low = 0.0 if errors == 0 else float(betaincinv(errors, trials - errors + 1, tail))
    high = 1.0 if errors == trials else float(betaincinv(errors + 1, trials - errors, 1 - tail))
    return Interval(low, high)


@dataclass(frozen=True)
class Presentations:
    """score: float64 (n,), higher is more likely a live person; -inf without a response. species: text (n,), "" of bona
    fide ones."""

    score: Array
    species: Array

    @classmethod
    def of(cls, scores: Sequence[float | None], species: Sequence[str]) -> "Presentations":
        """scores: None where there was no response.

        Raises:
            InputError: there are not both bona fide presentations and attacks.
        """
        score = np.array([-np.inf if each is None else each for each in scores], np.float64)
        found = cls(score, np.array(species, np.str_))
        for kind, count in (("bona fide presentations", len(found.bona_fide)), ("attacks", len(found.names))):
            if not count:
                raise InputError(f"there are no {kind}; both kinds are needed to measure how they are told apart")
        return found

    @property
    def bona_fide(self) -> Array:
        """Scores of bona fide presentations."""
        return self.score[self.species == ""]

    @property
    def names(self) -> list[str]:
        """The species of attacks, in the order of their names."""
        return sorted({str(name) for name in self.species} - {""})

    def attacks(self, species: str) -> Array:
        """Scores of the attacks of a species."""
        return self.score[self.species == species]

    def threshold_at(self, rate: float) -> float:
        """The lowest threshold at which APCER is at most a rate for each species."""
        least = -np.inf
        for name in self.names:
            highest = np.sort(self.attacks(name))[::-1]
            allowed = int(np.floor(rate * len(highest) + 1e-9))
            if allowed < len(highest) and np.isfinite(highest[allowed]):
                least = max(least, float(np.nextafter(highest[allowed], np.inf)))
        return least

    def supports(self, rate: float) -> bool:
        """Whether there are enough attacks of each species to tell that APCER is a rate."""
        return min(len(self.attacks(name)) for name in self.names) * rate >= _LEAST_EVENTS


def figures(presentations: Presentations, threshold: float | None) -> dict[str, list[Figure]]:
    """By species, and under "" what is of all: APCER of the worst species, BPCER, and BPCER at stated APCERs.

    A presentation is taken for a live person if its score is at or above the threshold; without a threshold, only what
    depends on none is measured. An attack without a response has not succeeded; a live person without one was refused.
    """
    found: dict[str, list[Figure]] = {"": []}
    genuine = presentations.bona_fide
    for name in presentations.names:
        of_species = presentations.attacks(name)
        found[name] = [
            *([] if threshold is None else [_share("apcer", of_species >= threshold, threshold)]),
            _share("apnrr", np.isneginf(of_species)),
        ]
    if threshold is not None:
        worst = max((found[name][0] for name in presentations.names), key=_badness)
        found[""] += [worst, _share("bpcer", genuine < threshold, threshold)]
    for rate in RATES:
        at = presentations.threshold_at(rate)
        measured = _share("bpcer_at_apcer", (genuine < at) | np.isneginf(genuine), rate)
        supported = presentations.supports(rate)
        found[""].append(measured if supported else Figure("bpcer_at_apcer", None, None, len(genuine), rate))
        found[""].append(Figure("threshold_at_apcer", at if supported and np.isfinite(at) else None, None, 0, rate))
    found[""].append(_share("bpnrr", np.isneginf(genuine)))
    return found


def _share(metric: str, errors: Array, at: float | None = None) -> Figure:
    count, trials = int(errors.sum()), len(errors)
    return Figure(metric, count / trials, exact(count, trials), trials, at)


def _badness(figure: Figure) -> tuple[float, float]:
    """The highest rate; of two that are as high, the one that is known less well."""
    assert figure.value is not None
    assert figure.interval is not None
    return figure.value, figure.interval.high
