"""Persons to learn from, and persons to measure on: divided by their ids, before anything of them is seen."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from jobs.inputs.labelled import LabelledPhoto, read_labelled_photos
from jobs.run.context import Context
from udfs.errors import InputError
from udfs.records import Meant

Array = np.ndarray


@dataclass(frozen=True)
class Photos:
    """Photos of some persons, in the order of persons and URIs."""

    photos: list[LabelledPhoto]

    @property
    def uris(self) -> list[str]:
        """Where they are."""
        return [photo.uri for photo in self.photos]

    @cached_property
    def persons(self) -> list[str]:
        """Whom they show."""
        return sorted({photo.person for photo in self.photos})

    @cached_property
    def labels(self) -> Array:
        """The number of the person of each photo, among `persons`: int64 (photos,)."""
        return np.unique([photo.person for photo in self.photos], return_inverse=True)[1]

    def which(self, taken: Sequence[bool] | Array) -> "Photos":
        """Some of them."""
        return Photos([photo for photo, there in zip(self.photos, taken, strict=True) if there])


@dataclass(frozen=True)
class Divided:
    """learnt: of the persons to learn from. chosen: of those by whom is decided when to stop; none of them is learnt
    from. held_out: of the other half of all persons, by whom the result is measured, once."""

    learnt: Photos
    chosen: Photos
    held_out: Photos

    @property
    def all_uris(self) -> list[str]:
        """Of all photos."""
        return [*self.learnt.uris, *self.chosen.uris, *self.held_out.uris]


@dataclass(frozen=True)
class MeasuredAt:
    """How a trained model is measured: the FPIR, the persons in the gallery (None: as many as can be drawn), and which
    face of a photo counts."""

    fpir: float
    gallery_size: int | None
    meant: Meant


def divide(context: Context, images: str, seed: int, choosing: float = 0.0) -> Divided:
    """The photos of a folder or table (see `read_labelled_photos`) by what they are for. The halves are those of
    `calibrate` and `evaluate`: the first is learnt from, of which `choosing` is the share that decides when to stop.

    Raises:
        InputError: malformed data, or too few persons in one of the parts.
    """
    first, second = (Photos(read_labelled_photos(context, images, half, seed)) for half in ("first", "second"))
    apart = np.array([aside(person, seed, choosing) for person in first.persons], bool)[first.labels]
    divided = Divided(first.which(~apart), first.which(apart), second)
    _refuse_too_few(divided, images)
    return divided


def with_a_face(context: Context, divided: Divided, uris: Sequence[str], outcomes: Sequence[str]) -> Divided:
    """Those of the photos that show a face; how many do not is said. uris, outcomes: of all photos.

    Raises:
        InputError: too few are left.
    """
    there = {uri for uri, outcome in zip(uris, outcomes, strict=True) if outcome == "faces"}

    def of(photos: Photos) -> Photos:
        return photos.which([uri in there for uri in photos.uris])

    without = len(set(uris) - there)
    if without:
        context.log.warning(f"{context.job}: {without:,} photos show no face, or cannot be read; they are left out")
    found = Divided(of(divided.learnt), of(divided.chosen), of(divided.held_out))
    _refuse_too_few(found, f"of {len(set(uris)):,} photos {len(there):,} show a face")
    return found


def _refuse_too_few(divided: Divided, images: str) -> None:
    if len(divided.learnt.persons) < 2:
        raise InputError(
            f"{images}: {len(divided.learnt.persons)} person to learn from; training needs photos of several persons,"
            " and about as many others to measure on"
        )
    if _greatest(divided.learnt) < 2:
        raise InputError(
            f"{images}: nobody has two photos to learn from; one photo a person does not show what stays the same: add"
            " second photos"
        )
    if _greatest(divided.held_out) < 2:
        raise InputError(
            f"{images}: of the persons to measure on nobody has a second photo, so nobody could be missed: add photos,"
            " or take another --seed"
        )


def aside(name: str, seed: int, choosing: float) -> bool:
    """Whether a person, or a photo, to learn from is of the share `choosing` that decides when to stop."""
    return hashlib.sha256(f"stop:{seed}:{name}".encode()).digest()[0] / 256 < choosing


def _greatest(photos: Photos) -> int:
    return int(np.bincount(photos.labels).max()) if photos.photos else 0
