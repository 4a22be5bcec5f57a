"""A model and the one it was trained from, on persons of whom neither has learnt here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.identification import Trials
from evaluation.improvement import Improvement, floor, improvement
from evaluation.verification import Comparisons, Curve
from jobs.learning.divided import Photos
from udfs.errors import InputError

Array = np.ndarray

SIZES = (1000, 300, 100, 30, 10)
"""Persons in the gallery that is measured, the largest that can be drawn, unless another is asked for."""
_DRAWN = 0.8
FARS = (1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class Seen:
    """How an embedder sees photos: as they are enrolled, and as they are searched for, float32 (photos, d), zeros where
    there is no face. The two are the same, unless training imitates worse photos."""

    enrolled: Array
    searched: Array

    @property
    def good(self) -> "Seen":
        """The same photos searched for as they are enrolled."""
        return Seen(self.enrolled, self.enrolled)

    def trials(self, photos: Photos, first: Array, floor_at: float) -> Trials:
        """Every photo searched for among the first ones of all persons."""
        return Trials.between(self.enrolled, photos.labels, first, floor_at, probes=self.searched)

    def curve(self, photos: Photos) -> Curve:
        """The errors over all pairs of one photo as it is searched for and another as it is enrolled."""
        there = self.enrolled.any(axis=1)
        labels = photos.labels[there]
        similarity = (self.searched[there] @ self.enrolled[there].T).astype(np.float64)
        pairs = ~np.eye(len(labels), dtype=bool)
        return Curve.of(Comparisons(similarity[pairs], (labels[:, None] == labels)[pairs]))


def first_of_each(photos: Photos) -> Array:
    """The photo of each person that is enrolled: bool (photos,)."""
    first = np.zeros(len(photos.photos), bool)
    first[np.unique(photos.labels, return_index=True)[1]] = True
    return first


def compare(photos: Photos, before: Seen, after: Seen, gallery_size: int | None, fpir: float, seed: int) -> Improvement:
    """Whether fewer are missed.

    Raises:
        InputError: too few persons for such a gallery.
    """
    first = first_of_each(photos)
    size = gallery_size or gallery_size_for(len(photos.persons))
    of = [
        seen.trials(photos, first, floor(np.concatenate([seen.enrolled, seen.searched]), np.tile(photos.labels, 2)))
        for seen in (before, after)
    ]
    return improvement(of[0], of[1], size, fpir, seed)


def refuse_too_few_to_measure(persons: int, gallery_size: int | None) -> None:
    """Stop before anything is learnt, where it could not be measured.

    Raises:
        InputError: there are too few persons to measure on.
    """
    if gallery_size is None:
        gallery_size_for(persons)
    elif gallery_size >= persons:
        raise InputError(
            f"--gallery-size {gallery_size:,}: there are {persons:,} persons to measure on, and at least one of them"
            " must not be in the gallery; ask for fewer, or add persons"
        )


def gallery_size_for(persons: int) -> int:
    """Persons in the gallery that is measured, of so many.

    Raises:
        InputError: they are too few.
    """
    for size in SIZES:
        if size <= _DRAWN * persons:
            return size
    raise InputError(
        f"{persons} persons to measure on are too few: {math.ceil(SIZES[-1] / _DRAWN)} and more are needed; add persons"
    )


def rates(photos: Photos, seen: Sequence[tuple[str, Seen]]) -> dict[str, float]:
    """TAR at some FARs, as far as there are enough pairs, by a name and the rate."""
    found: dict[str, float] = {}
    for name, each in seen:
        curve = each.curve(photos)
        found |= {f"{name}_tar_at_far_{far:g}": curve.tar_at(far) for far in FARS if curve.supports(far)}
    return found
