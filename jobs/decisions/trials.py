"""Labelled images after they were compared: pairs, and photos that were searched for."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluation.identification import Trials
from evaluation.verification import Comparisons
from jobs.faces.lookup import MeantFaces
from jobs.inputs.labelled import LabelledPair, LabelledPhoto
from udfs.errors import InputError
from udfs.search.cohort import cohort_similarity
from udfs.search.pairs import similarities

Array = np.ndarray

QUALITIES = ("size", "sharpness", "brightness")
"""Of a face; data can be split by them without a column of their own. Of a pair, that of the worse face."""


@dataclass(frozen=True)
class ComparedPairs:
    """Labelled pairs after they were compared; all in the order of `pairs`."""

    pairs: list[LabelledPair]
    faces: MeantFaces
    left: Array
    right: Array
    comparisons: Comparisons

    @classmethod
    def of(cls, pairs: list[LabelledPair], faces: MeantFaces) -> "ComparedPairs":
        """A pair of which a side has no face is accepted at no threshold: it counts, as a miss if it is mated."""
        left, right = (faces.places([getattr(pair, side) for pair in pairs]) for side in ("left", "right"))
        scores = np.full(len(pairs), -np.inf)
        both = faces.there[left] & faces.there[right]
        scores[both] = similarities(faces.vectors, left[both], right[both])
        mated = np.array([pair.mated for pair in pairs], bool)
        return cls(pairs, faces, left, right, Comparisons(scores, mated, *_numbers(pairs)))

    def column(self, name: str) -> list[object]:
        """A column of the pair list, or a quality of the worse face.

        Raises:
            InputError: there is no such column.
        """
        listed = listed_column(name, [pair.more for pair in self.pairs], "pairs")
        if listed is not None:
            return listed
        values = self.faces.quality(name)
        return _with_none(np.fmin(values[self.left], values[self.right]))


def _numbers(pairs: list[LabelledPair]) -> tuple[Array, Array] | tuple[None, None]:
    """Numbers of the persons; none where they are not all known."""
    names = [person for pair in pairs for person in (pair.left_person, pair.right_person)]
    if None in names or not names:
        return None, None
    numbers = np.unique(np.array(names, str), return_inverse=True)[1].reshape(-1, 2)
    return numbers[:, 0], numbers[:, 1]


@dataclass(frozen=True)
class SearchedPhotos:
    """Labelled photos compared with the persons they show."""

    photos: list[LabelledPhoto]
    persons: list[str]
    faces: MeantFaces
    places: Array
    """Of each photo, its row of `faces`."""
    number: Array
    """Of each photo, its person's place among `persons`."""
    enrolled: Array
    """bool (photos,), whether it is enrolled when its person is."""

    @classmethod
    def of(cls, photos: list[LabelledPhoto], faces: MeantFaces, enrolled: int, seed: int) -> "SearchedPhotos":
        """Enrol the first photos of each person in an order the seed draws; search for all others, and for enrolled
        ones of persons who are not in the gallery.
        """
        persons, number = np.unique(np.array([photo.person for photo in photos]), return_inverse=True)
        places = faces.places([photo.uri for photo in photos])
        return cls(photos, persons.tolist(), faces, places, number, _first(photos, enrolled, seed))

    def trials(self, floor: float, cohort: Array | None = None) -> Trials:
        """The searches. Pairs below `floor` are not kept, as `identify` would not keep them.

        cohort: float32 (m, d), faces of strangers by whom scores are normalised, if they are.
        """
        vectors = self.faces.vectors[self.places]
        less = None if cohort is None else cohort_similarity(vectors, cohort)
        return Trials.between(vectors, self.number, self.enrolled, floor, less)

    def column(self, name: str) -> list[object]:
        """A column of the photo list, or a quality of the face.

        Raises:
            InputError: there is no such column.
        """
        listed = listed_column(name, [photo.more for photo in self.photos], "photos")
        return _with_none(self.faces.quality(name)[self.places]) if listed is None else listed


def listed_column(name: str, rows: list[dict[str, Any]], what: str) -> list[object] | None:
    """A column of a list of pairs or photos; None where it is a quality of the faces instead.

    Raises:
        InputError: it is neither.
    """
    if any(name in row for row in rows):
        return [row.get(name) for row in rows]
    if name in QUALITIES:
        return None
    raise InputError(f"the list of {what} has no column {name!r}; of the faces there are {', '.join(QUALITIES)}")


def _with_none(values: Array) -> list[object]:
    """Values as a list, None where there is none."""
    return [None if np.isnan(value) else float(value) for value in values]


def _first(photos: list[LabelledPhoto], count: int, seed: int) -> Array:
    """The first photos of each person, by a hash of seed and file name: it does not matter where the files are."""

    def drawn(at: int) -> tuple[str, bytes, str]:
        name = f"{seed}:{photos[at].uri.rpartition('/')[2]}"
        return photos[at].person, hashlib.sha256(name.encode()).digest(), photos[at].uri

    registered = np.zeros(len(photos), bool)
    taken: Counter[str] = Counter()
    for at in sorted(range(len(photos)), key=drawn):
        registered[at] = taken[photos[at].person] < count
        taken[photos[at].person] += 1
    return registered
