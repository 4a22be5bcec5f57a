"""What two detectors find in the same photos with boxes, as the product would find it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.detection import SAME, Found, found_in
from udfs.vision.detect import Detection, Detector
from udfs.vision.finding import ViewSearch
from udfs.vision.marked import MarkedPhoto, opened
from udfs.vision.spec import VisionSpec
from udfs.vision.suppression import overlaps

Array = np.ndarray


@dataclass(frozen=True)
class Detected:
    """before, after: what the one and the other found in each photo. landmarks: how far apart both have the landmarks
    of the faces that both have found, in shares of the face's side, the mean; None if they share none."""

    before: list[Found]
    after: list[Found]
    landmarks: float | None


def detected(before: Detector, after: Detector, photos: Sequence[MarkedPhoto], spec: VisionSpec) -> Detected:
    """Search photos with two detectors, one photo at a time."""
    searches = [ViewSearch(detector, spec, lambda _canvas: 1) for detector in (before, after)]
    found: tuple[list[Found], list[Found]] = ([], [])
    apart: list[float] = []
    for photo in photos:
        seen = opened(photo)
        faces = [search.faces(seen.image) for search in searches]
        for counts, of in zip(found, faces, strict=True):
            counts.append(found_in(np.array([face.box for face in of]).reshape(-1, 4), seen.boxes, spec.minimum_face))
        apart += _apart(*faces)
    return Detected(*found, float(np.mean(apart)) if apart else None)


def _apart(mine: list[Detection], theirs: list[Detection]) -> Iterator[float]:
    """Of each face that both have, how far apart its landmarks are."""
    boxes = np.array([face.box for face in theirs]).reshape(-1, 4)
    for face in mine:
        shared = overlaps(face.box, boxes)
        if len(shared) and shared.max() >= SAME:
            other = theirs[int(shared.argmax())]
            yield float(np.linalg.norm(face.landmarks - other.landmarks, axis=1).mean() / face.side)
