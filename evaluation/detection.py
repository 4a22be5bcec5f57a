"""How many of the faces that are marked in photos a detector finds, how many boxes it finds where none is, and whether
another detector does better on the same photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.bootstrap import Interval, draws, intervals
from evaluation.improvement import Change
from udfs.errors import InputError

Array = np.ndarray

SAME = 0.5
"""The intersection over union from which on a box is that of a face."""


@dataclass(frozen=True)
class Found:
    """Faces found among those marked that are large enough (`true` of `marked`), and how many of the boxes found are
    of no face (`false` of `boxes`)."""

    true: int
    marked: int
    false: int
    boxes: int

    @property
    def recall(self) -> float:
        """The share of marked faces that were found."""
        return self.true / self.marked

    def __add__(self, other: "Found") -> "Found":
        return Found(
            self.true + other.true, self.marked + other.marked, self.false + other.false, self.boxes + other.boxes
        )


NOTHING = Found(0, 0, 0, 0)


def found_in(boxes: Array, marked: Array, minimum: float) -> Found:
    """What was found in one photo: boxes float64 (n, 4) and those marked (m, 4), left, top, right, bottom.

    Marked faces whose shorter side is under `minimum` need not be found, and may be.
    """
    wanted = (marked[:, 2:] - marked[:, :2]).min(1) >= minimum
    near = overlaps(boxes, marked) >= SAME
    found, false = np.asarray(near.any(0)), ~np.asarray(near.any(1))
    return Found(int(found[wanted].sum()), int(wanted.sum()), int(false.sum()), len(boxes))


def overlaps(left: Array, right: Array) -> Array:
    """Intersection over union of each box with each: float64 (n, m)."""
    start = np.maximum(left[:, None, :2], right[None, :, :2])
    end = np.minimum(left[:, None, 2:], right[None, :, 2:])
    shared = np.prod(np.maximum(end - start, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (left, right)]
    return shared / (areas[0][:, None] + areas[1][None, :] - shared)


@dataclass(frozen=True)
class DetectionChange(Change):
    """Of the share of faces that are missed; and of false boxes a photo. Intervals are over photos. minimum: pixels of
    the shorter side of the smallest face that counts. photos, faces: how many there are."""

    false_before: float
    false_after: float
    false_difference: Interval
    minimum: float
    photos: int
    faces: int

    @property
    def better(self) -> bool:
        """Whether it misses fewer faces beyond doubt, or has fewer false boxes, and is not worse in the other."""
        gains = self.difference.high < 0 or self.false_difference.high < 0
        return gains and not self.worse

    @property
    def worse(self) -> bool:
        """Whether it misses more beyond doubt, or has more false boxes."""
        return self.difference.low > 0 or self.false_difference.low > 0


def detection_change(before: Sequence[Found], after: Sequence[Found], minimum: float, seed: int = 0) -> DetectionChange:
    """Compare two detectors by what each found in the same photos.

    Raises:
        InputError: no face that counts is marked.
    """
    marked = np.array([found.marked for found in before], np.float64)
    if not marked.any():
        raise InputError(
            f"no face of {minimum:g} pixels or more is marked in the photos to measure on; mark such faces, or lower"
            " vision.minimum_face"
        )
    missed = np.array([[each.marked - each.true for each in of] for of in (before, after)], np.float64)
    false = np.array([[each.false for each in of] for of in (before, after)], np.float64)

    def measure(weight: Array) -> dict[str, float]:
        if not (weight @ marked):
            raise InputError("no face is marked")
        (one, other), (few, many) = missed @ weight / (weight @ marked), false @ weight / weight.sum()
        return {"before": one, "after": other, "missed": other - one, "few": few, "many": many, "false": many - few}

    values = measure(np.ones(len(marked)))
    held = intervals(measure, draws(len(marked), seed))
    return DetectionChange(
        values["before"],
        values["after"],
        held["missed"],
        values["few"],
        values["many"],
        held["false"],
        minimum,
        len(marked),
        int(marked.sum()),
    )
