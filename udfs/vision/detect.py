"""Face detectors: pictures in, boxes with landmarks and scores out."""

import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from PIL import Image

from udfs.vision.declaration import DetectorKind
from udfs.vision.spec import VisionSpec
from udfs.vision.suppression import without_overlap
from udfs.vision.tensors import WeightsSource

Array = np.ndarray

_SAME = 0.3  # intersection over union of boxes that are one face's


@dataclass(frozen=True)
class Detection:
    """One face in the pixels of the picture it was found in.

    box: float64 (4,), left, top, right, bottom.
    landmarks: float64 (5, 2), x and y of the eye on the left, the eye on the right, the nose, the corner of
        the mouth on the left and on the right, as seen in the picture.
    score: 0 to 1.
    """

    box: Array
    landmarks: Array
    score: float

    def scaled(self, x: float, y: float) -> "Detection":
        """The same face in a picture `x` times as wide and `y` times as high."""
        return Detection(self.box * (x, y, x, y), self.landmarks * (x, y), self.score)

    def moved(self, x: float, y: float) -> "Detection":
        """The same face in a picture that begins so many pixels further to the left and further up."""
        return Detection(self.box + np.array([x, y, x, y]), self.landmarks + np.array([x, y]), self.score)

    @property
    def side(self) -> float:
        """The shorter side of the box."""
        left, top, right, bottom = self.box
        return float(min(right - left, bottom - top))

    @property
    def longer_side(self) -> float:
        """The longer side of the box."""
        left, top, right, bottom = self.box
        return float(max(right - left, bottom - top))


class Detector(ABC):
    """Finds faces in RGB pictures of one size.

    `scale`: of the pictures the detector looks at, as a share of those in which the configured minimum face is
    measured.
    """

    score: float
    """The lowest score of a face, unless one is configured."""
    scale: float = 1.0

    @classmethod
    @abstractmethod
    def rule(cls) -> dict[str, object]:
        """What belongs to the contract besides the weights."""

    @abstractmethod
    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        """Set the networks up with their weights."""

    @abstractmethod
    def canvas(self, width: int, height: int) -> tuple[int, int]:
        """Rows and columns a picture is padded to with black, below and on the right; those of one canvas can be
        looked at together."""

    @abstractmethod
    def detect(self, pictures: Array) -> list[list[Detection]]:
        """pictures: uint8 (n, rows, columns, 3). The faces of each, ordered by their rounded top, then left.

        What is found in a picture depends on n, and on no other picture.
        """

    def doubts(self, face: Detection) -> bool:
        """Whether a face of `detect` is to be looked at once more before it counts."""
        return False

    def again(self, image: Image.Image, face: Detection, scale: float) -> Detection | None:
        """A second look at a face that is doubted; None if it is none.

        image: the picture with more pixels, in whose pixels the face is. scale: pixels that `detect` saw for one pixel
        of it.
        """
        return face


def second_looks(
    detector: Detector, image: Image.Image, faces: list[Detection], view: tuple[int, int]
) -> list[Detection]:
    """The faces that `detect` found, those that it doubts after a second look; ordered as there.

    image: the picture with all the pixels that there are. view: width and height of what `detect` saw of it, in whose
    pixels the faces are; so are those that come back.
    """
    if not any(detector.doubts(face) for face in faces):
        return faces
    x, y = image.width / view[0], image.height / view[1]
    kept = []
    for face in faces:
        if not detector.doubts(face):
            kept.append(face)
        elif (seen := detector.again(image, face.scaled(x, y), 1 / max(x, y))) is not None:
            kept.append(seen.scaled(1 / x, 1 / y))
    if not kept:
        return []
    # Two doubted faces may turn out to be one.
    boxes, scores = np.stack([face.box for face in kept]), np.array([face.score for face in kept])
    return in_order([kept[at] for at in without_overlap(boxes, scores, _SAME)])


def detector_class(model: DetectorKind) -> type[Detector]:
    """The class that runs a detector. Named in its declaration, not imported."""
    found: type[Detector] = pkgutil.resolve_name(model.finds)
    return found


def in_order(found: list[Detection]) -> list[Detection]:
    """By rounded top, then left: the order in which faces are numbered."""
    return sorted(found, key=lambda face: (round(face.box[1]), round(face.box[0]), *face.box))
