"""1:N identification: how often searches are decided wrongly, by the size of the gallery.

FPIR(N, T) (ISO/IEC 19795-1): the share of searches for persons who are not in a gallery of N that return somebody at
or above the threshold T. FNIR(N, R, T): the share of searches for persons who are in it that do not return them
among the first R at or above T. CMC: 1 - FNIR without a threshold, by R.

**No gallery is sampled.** Persons of the data set are drawn into the gallery evenly, and all figures are expectations
over every gallery of N persons that could be drawn. If c of the M other persons are as similar to a probe as T, none
of them is among N with probability C(M - c, N) / C(M, N): the hypergeometric distribution. So the same data give the
same figures, and no error comes from a draw.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaln

from udfs.errors import InputError
from udfs.search.pairs import pairs_at_least

Array = np.ndarray


@dataclass(frozen=True)
class Trials:
    """Probes, and their similarities to every person who could be in the gallery.

    of: int (probes,), the number of the person each probe shows, below `persons`. mated: bool (probes,), whether the
    probe may be searched for in a gallery with its person: false for photos that are enrolled then.
    persons: how many there are; each could be in the gallery.
    probe, person: int (n,); similarity: float64 (n,), falling: a probe and the nearest sample of a person, of all
    pairs at or above some floor. Probes and persons without a face have no rows, and are never found.
    """

    of: Array
    mated: Array
    persons: int
    probe: Array
    person: Array
    similarity: Array

    @classmethod
    def between(
        cls,
        vectors: Array,
        of: Array,
        enrolled: Array,
        floor: float,
        less: Array | None = None,
        probes: Array | None = None,
    ) -> "Trials":
        """Compare photos with the enrolled photos of all persons.

        vectors: float32 (photos, d), unit length; zeros where there is no face. of: int (photos,), whom they show,
        from 0. enrolled: bool (photos,), which of them are enrolled when their person is; these are searched for only
        when their person is not. floor: above 0; pairs less similar are not kept. less: float64 (photos,), what is
        subtracted from all similarities of a photo that is searched for; 0 by default. probes: float32 (photos, d), the
        same photos as they are searched for, if they look otherwise then; `vectors` by default.
        """
        searched = vectors if probes is None else probes
        at, samples = np.flatnonzero(searched.any(axis=1)), np.flatnonzero(vectors.any(axis=1) & enrolled)
        left, right, near = pairs_at_least(searched[at], vectors[samples], floor)
        probe, person = at[left], of[samples[right]]
        kept = (of[probe] != person) | ~enrolled[probe]
        probe, person, near = probe[kept], person[kept], near[kept]
        if less is not None:
            near = near - less[probe]
        order = np.lexsort((person, probe, -near))
        probe, person, near = probe[order], person[order], near[order]
        persons = int(of.max()) + 1
        _, first = np.unique(probe * persons + person, return_index=True)
        nearest = np.sort(first)  # a person's nearest sample; rows stay in falling order
        return cls(of, ~enrolled, persons, probe[nearest], person[nearest], near[nearest])

    @classmethod
    def of_scores(cls, scores: Array, of: Array) -> "Trials":
        """Of all scores of probes with persons, float64 (probes, persons), where each probe is mated.

        of: int (probes,), whom each shows.
        """
        probe, person = np.indices(scores.shape).reshape(2, -1)
        order = np.lexsort((person, probe, -scores.ravel()))
        return cls(of, np.ones(len(of), bool), scores.shape[1], probe[order], person[order], scores.ravel()[order])

    def __post_init__(self) -> None:
        if (np.diff(self.similarity) > 0).any():
            raise ValueError("rows must be in falling order of similarity")

    def taken(self, which: Array) -> "Trials":
        """Some of the probes, compared with the same persons."""
        place = np.full(len(self.of), -1)
        place[which] = np.arange(len(which))
        kept = place[self.probe] >= 0
        return Trials(
            self.of[which],
            self.mated[which],
            self.persons,
            place[self.probe[kept]],
            self.person[kept],
            self.similarity[kept],
        )

    @cached_property
    def _foreign(self) -> tuple[Array, Array, Array]:
        """Probe, person and similarity of the rows that show another person."""
        other = self.person != self.of[self.probe]
        return self.probe[other], self.person[other], self.similarity[other]

    @cached_property
    def _rising(self) -> Array:
        """Those similarities, negated, as numpy looks values up in rising order alone."""
        return -self._foreign[2]

    @cached_property
    def own(self) -> Array:
        """The similarity of each probe to its own person, float64 (probes,); -inf below the floor."""
        own = np.full(len(self.of), -np.inf)
        same = self.person == self.of[self.probe]
        own[self.probe[same]] = self.similarity[same]
        return own

    @cached_property
    def nearest_other(self) -> Array:
        """The similarity of each probe to the nearest of all other persons, float64 (probes,); -inf below the floor."""
        return self.nearest_of(np.ones(self.persons))

    def strangers(self) -> tuple[Array, int]:
        """The similarities of probes and other persons, falling, at or above the floor; and how many were compared.
        Those without a face count as compared, and as unlike."""
        return self._foreign[2], len(self.of) * (self.persons - 1)

    def nearest_of(self, weight: Array) -> Array:
        """The same among the persons that have a weight."""
        probe, person, similarity = self._foreign
        drawn = weight[person] > 0
        nearest = np.full(len(self.of), -np.inf)
        nearest[probe[drawn][::-1]] = similarity[drawn][::-1]  # of several values the last one stays: the highest
        return nearest

    def fpir(self, gallery_size: int, threshold: float, weight: Array | None = None) -> float:
        """FPIR(N, T). weight: int (persons,), how often each person was drawn; once, unless given.

        Raises:
            InputError: there are not so many other persons.
        """
        weight, others = self._weighted(gallery_size, weight)
        probe, person, _ = self._foreign
        count = int(np.searchsorted(self._rising, -threshold, side="right"))
        above = np.bincount(probe[:count], weight[person[:count]], minlength=len(self.of))
        return _mean(1 - _at_most(0, others, above, gallery_size), weight[self.of])

    def fnir(self, gallery_size: int, threshold: float, rank: int | None = None, weight: Array | None = None) -> float:
        """FNIR(N, R, T); without a rank, the person may be found at any.

        Raises:
            InputError: there are not so many persons, or no mated probes.
        """
        weight, others = self._weighted(gallery_size, weight)
        found = (np.isfinite(self.own) & (self.own >= threshold)).astype(np.float64)
        if rank is not None:
            probe, person = self._before_own
            before = np.bincount(probe, weight[person], minlength=len(self.of))
            found *= _at_most(rank - 1, others, before, gallery_size - 1)
        return 1 - _mean(found, weight[self.of] * self._is_mated)

    def cmc(self, gallery_size: int, ranks: int = 20) -> Array:
        """How often the person is among the first 1, 2, ... of a gallery of N: float64 (ranks,)."""
        return np.array([1 - self.fnir(gallery_size, -np.inf, rank) for rank in range(1, ranks + 1)])

    def threshold_at(self, gallery_size: int, fpir: float, weight: Array | None = None) -> float:
        """The lowest similarity among those measured at which FPIR is not higher than this; just above all, if at none.

        Raises:
            InputError: there are not so many other persons.
        """
        _, _, similarity = self._foreign
        # By index, of which -1 is a threshold that no one reaches. From the top, where there are few to be counted.
        held, not_held = -1, 1
        while not_held < len(similarity) and self.fpir(gallery_size, similarity[not_held], weight) <= fpir:
            held, not_held = not_held, 2 * not_held
        not_held = min(not_held, len(similarity))
        while not_held - held > 1:
            middle = (held + not_held) // 2
            if self.fpir(gallery_size, similarity[middle], weight) <= fpir:
                held = middle
            else:
                not_held = middle
        highest = similarity[0] if len(similarity) else 1.0
        return float(similarity[held] if held >= 0 else np.nextafter(highest, np.inf))

    @cached_property
    def _is_mated(self) -> Array:
        if not self.mated.any():
            raise InputError(
                "no person has a second image, and one is enrolled while another is searched for; add second images"
            )
        return self.mated

    @cached_property
    def _before_own(self) -> tuple[Array, Array]:
        """Probes, and the other persons who come before their own: nearer, or as near and first by number."""
        probe, person, similarity = self._foreign
        own = self.own[probe]
        before = (similarity > own) | ((similarity == own) & (person < self.of[probe]))
        return probe[before], person[before]

    def _weighted(self, gallery_size: int, weight: Array | None) -> tuple[Array, Array]:
        """Weights of the persons, and how many others there are for each probe."""
        weight = np.ones(self.persons) if weight is None else weight.astype(np.float64)
        others = weight.sum() - weight[self.of]
        if gallery_size > others.min():
            raise InputError(
                f"a gallery of {gallery_size:,} cannot be drawn from {self.persons:,} persons, of whom one is searched"
                " for; ask for a smaller gallery, or measure on more persons"
            )
        return weight, others


def _mean(values: Array, weight: Array) -> float:
    return float((values * weight).sum() / weight.sum())


def _at_most(most: int, others: Array, above: Array, gallery_size: int) -> Array:
    """The probability that at most so many of `above` of the `others` are in a gallery of N: float64 (probes,)."""
    likely = np.ones(len(above))
    many = above > most
    each = [_of_hypergeometric(number, others[many], above[many], gallery_size) for number in range(most + 1)]
    likely[many] = np.minimum(np.sum(each, axis=0), 1.0)
    return likely


def _of_hypergeometric(number: int, others: Array, above: Array, gallery_size: int) -> Array:
    """P(exactly `number` of `above` are among N drawn of `others`); all float64, whole numbers."""
    possible = (number <= above) & (gallery_size - number <= others - above) & (number <= gallery_size)
    k, c, m, n = number, np.where(possible, above, number), np.where(possible, others, 0), gallery_size
    m = np.where(possible, m, c + n)
    log = _log_choose(c, k) + _log_choose(m - c, n - k) - _log_choose(m, n)
    return np.where(possible, np.exp(log), 0.0)


def _log_choose(n: Array, k: int) -> Array:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
