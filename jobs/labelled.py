"""Images of which it is known who they show: pairs, and persons with their photos."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from evaluation.identification import Trials
from evaluation.pairs import is_number, read_pairs
from evaluation.verification import Comparisons
from jobs import manifest, rows
from jobs.options import Context
from jobs.seen import Faces
from udfs import lake
from udfs.errors import InputError
from udfs.search.cohort import cohort_similarity
from udfs.search.pairs import similarities

Array = np.ndarray
Half = Literal["both", "first", "second"]

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")
QUALITIES = ("size", "sharpness", "brightness")
"""Of a face; data can be split by them without a column of their own. Of a pair, that of the worse face."""


def in_half(person: str, half: Half, seed: int) -> bool:
    """Whether a person is in this half of all persons; the seed draws the halves."""
    first = hashlib.sha256(f"{seed}:{person}".encode()).digest()[0] % 2 == 0
    return half == "both" or first == (half == "first")


@dataclass(frozen=True)
class LabelledPair:
    """Two images by URI, whether they show one person, and what else is said of them."""

    left: str
    right: str
    mated: bool
    left_person: str | None
    right_person: str | None
    fold: int
    more: dict[str, Any]


def read_labelled_pairs(context: Context, file: str, images: str | None) -> list[LabelledPair]:
    """Pairs of a `.txt` in LFW's format, whose names are below the folder `images`; or of a CSV, Parquet or Delta
    table with columns left, right and mated, perhaps left_person, right_person and fold, and any others.

    Raises:
        InputError: a malformed file, whose line is named; or no pairs.
    """
    pairs = _labelled_pairs(context, lake.uri_of(file), images)
    if not pairs:
        raise InputError(f"{file}: lists no pairs")
    return pairs


def _labelled_pairs(context: Context, uri: str, images: str | None) -> list[LabelledPair]:
    if uri.lower().endswith(".txt"):
        if images is None:
            raise InputError(f"{uri}: its names are relative to a folder; say --images FOLDER")
        root = lake.uri_of(images).rstrip("/")
        text = rows.text(uri)
        return [
            LabelledPair(
                f"{root}/{lake.quoted(pair.left)}",
                f"{root}/{lake.quoted(pair.right)}",
                pair.mated,
                pair.left_person,
                pair.right_person,
                pair.fold,
                {},
            )
            for pair in read_pairs(text, uri)
        ]
    read = rows.read(context, uri, ("left", "right", "mated"), ("left_person", "right_person", "fold"), others=True)
    return [_labelled_pair(uri if images is None else lake.uri_of(images).rstrip("/") + "/_", row) for row in read]


def _labelled_pair(beside: str, row: rows.Row) -> LabelledPair:
    left, right, mated = row.text("left"), row.text("right"), row.text("mated").lower()
    if not left or not right:
        raise InputError(f"{row.where}: left and right must not be empty")
    if mated not in _TRUE + _FALSE:
        raise InputError(f"{row.where}: mated is {mated!r}; write true or false")
    left, right = (rows.absolute(beside, name) for name in (left, right))
    if left == right:
        raise InputError(f"{row.where}: left and right are one image; every image resembles itself")
    persons = [row.text(name) or None for name in ("left_person", "right_person")]
    if None not in persons and (persons[0] == persons[1]) != (mated in _TRUE):
        raise InputError(f"{row.where}: mated is {mated}, the persons are {persons[0]!r} and {persons[1]!r}")
    fold = row.text("fold") or "0"
    if not is_number(fold):
        raise InputError(f"{row.where}: fold is {fold!r}; write a number from 0")
    known = {"left", "right", "mated", "left_person", "right_person", "fold"}
    more = {name: value for name, value in row.values.items() if name not in known}
    return LabelledPair(
        left,
        right,
        mated in _TRUE,
        persons[0],
        persons[1],
        int(fold),
        more,
    )


@dataclass(frozen=True)
class ComparedPairs:
    """Labelled pairs after they were compared; all in the order of `pairs`."""

    pairs: list[LabelledPair]
    faces: Faces
    left: Array
    right: Array
    comparisons: Comparisons

    @classmethod
    def of(cls, pairs: list[LabelledPair], faces: Faces) -> "ComparedPairs":
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
        if any(name in pair.more for pair in self.pairs):
            return [pair.more.get(name) for pair in self.pairs]
        if name in QUALITIES:
            values = self.faces.quality(name)
            worse = np.fmin(values[self.left], values[self.right])
            return [None if np.isnan(value) else float(value) for value in worse]
        raise InputError(f"no column {name!r} in the pair list; of the faces there are {', '.join(QUALITIES)}")


def _numbers(pairs: list[LabelledPair]) -> tuple[Array, Array] | tuple[None, None]:
    """Numbers of the persons; none where they are not all known."""
    names = [person for pair in pairs for person in (pair.left_person, pair.right_person)]
    if None in names or not names:
        return None, None
    numbers = np.unique(np.array(names, str), return_inverse=True)[1].reshape(-1, 2)
    return numbers[:, 0], numbers[:, 1]


@dataclass(frozen=True)
class LabelledPhoto:
    """One photo of one person, and what else is said of it."""

    person: str
    uri: str
    more: dict[str, Any]


def read_labelled_photos(context: Context, images: str, half: Half, seed: int) -> list[LabelledPhoto]:
    """The photos of a folder PERSON/photo.jpg, or of a CSV, Parquet or Delta table with columns person_id and uri and
    any others; of the persons of one half.

    Raises:
        InputError: a malformed file, or no photos.
    """
    uri = lake.uri_of(images)
    if rows.is_rows(uri):
        photos = []
        first: dict[str, str] = {}
        for row in rows.read(context, uri, ("person_id", "uri"), others=True):
            person, name = row.text("person_id"), row.text("uri")
            if not person or not name:
                raise InputError(f"{row.where}: person_id and uri must not be empty")
            name = rows.absolute(uri, name)
            if first.setdefault(name, row.where) != row.where:
                raise InputError(f"{row.where}: the image of {first[name]} again; every image resembles itself")
            more = {name: value for name, value in row.values.items() if name not in ("person_id", "uri")}
            photos.append(LabelledPhoto(person, name, more))
    else:
        photos = [LabelledPhoto(photo.person_id, photo.uri, {}) for photo in manifest.read(context, images)]
    chosen = [photo for photo in photos if in_half(photo.person, half, seed)]
    if not chosen:
        raise InputError(f"{uri}: lists no photos" + ("" if half == "both" else f" of persons of the {half} half"))
    return sorted(chosen, key=lambda photo: (photo.person, photo.uri))


@dataclass(frozen=True)
class Searched:
    """Labelled photos held against the persons they show."""

    photos: list[LabelledPhoto]
    persons: list[str]
    faces: Faces
    places: Array
    """Of each photo, its row of `faces`."""
    number: Array
    """Of each photo, its person's place among `persons`."""
    enrolled: Array
    """bool (photos,), whether it is enrolled when its person is."""

    @classmethod
    def of(cls, photos: list[LabelledPhoto], faces: Faces, enrolled: int, seed: int) -> "Searched":
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
        if any(name in photo.more for photo in self.photos):
            return [photo.more.get(name) for photo in self.photos]
        if name in QUALITIES:
            values = self.faces.quality(name)[self.places]
            return [None if np.isnan(value) else float(value) for value in values]
        raise InputError(f"no column {name!r} in the list of photos; of the faces there are {', '.join(QUALITIES)}")


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
