"""Face detectors: pictures in, boxes with landmarks and scores out."""

import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from udfs.vision.declaration import DetectorModel
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource

Array = np.ndarray


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

    @property
    def side(self) -> float:
        """The shorter side of the box."""
        left, top, right, bottom = self.box
        return float(min(right - left, bottom - top))


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


def detector_class(model: DetectorModel) -> type[Detector]:
    """The class that runs a detector. Named in its declaration, not imported."""
    found: type[Detector] = pkgutil.resolve_name(model.finds)
    return found


def in_order(found: list[Detection]) -> list[Detection]:
    """By rounded top, then left: the order in which faces are numbered."""
    return sorted(found, key=lambda face: (round(face.box[1]), round(face.box[0]), *face.box))
