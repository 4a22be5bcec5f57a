"""Photos to learn a detector from, and photos to measure it on: divided by their names, before anything is seen."""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.inputs.labelled import in_half
from jobs.learning.divided import aside
from udfs.errors import InputError
from udfs.vision.marked import MarkedPhoto

CHOOSING = 0.2
"""The share of the photos to learn from by which is decided when to stop."""


@dataclass(frozen=True)
class DividedPhotos:
    """learnt: photos to learn from. chosen: those by which is decided when to stop. held_out: the other half of all
    photos, by which the result is measured, once."""

    learnt: list[MarkedPhoto]
    chosen: list[MarkedPhoto]
    held_out: list[MarkedPhoto]


def divide_photos(photos: Sequence[MarkedPhoto], seed: int) -> DividedPhotos:
    """Halve photos, whole ones and not faces.

    Raises:
        InputError: too few photos in one of the parts.
    """
    first, second = (
        [photo for photo in photos if in_half(photo.name, "first", seed) == learn] for learn in (True, False)
    )
    divided = DividedPhotos(
        [photo for photo in first if not aside(photo.name, seed, CHOOSING)],
        [photo for photo in first if aside(photo.name, seed, CHOOSING)],
        second,
    )
    for part, of in (
        ("to learn from", divided.learnt),
        ("to decide when to stop", divided.chosen),
        ("to measure on", second),
    ):
        if not any(len(photo.boxes) for photo in of):
            raise InputError(
                f"{len(photos)} photos are too few: after they are divided, none with a marked face is left {part}; add"
                " photos, at least 100 if you can, or give another --seed"
            )
    return divided
