"""Face detectors: a picture in, boxes with landmarks and scores out."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision.spec import VisionSpec

if TYPE_CHECKING:
    import torch

Array = np.ndarray
Tensors = dict[str, "torch.Tensor"]


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


class Detector(ABC):
    """Finds faces in one RGB picture whose sides are at least the configured minimum face."""

    @classmethod
    @abstractmethod
    def rule(cls) -> dict[str, object]:
        """What belongs to the contract besides the weights."""

    @abstractmethod
    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        """Set the networks up with their weights."""

    @abstractmethod
    def detect(self, image: Image.Image) -> list[Detection]:
        """The faces, ordered by their rounded top, then left; an empty list where there are none."""


class Mtcnn(Detector):
    """MTCNN (Zhang et al. 2016, IEEE SPL 23:10) with the networks and weights of facenet-pytorch 2.5.3.

    One picture at a time, so that what else is in a batch cannot change what is found.
    """

    thresholds = (0.6, 0.7, 0.7)
    factor = 0.709

    @classmethod
    def rule(cls) -> dict[str, object]:
        return {"name": "mtcnn", "revision": 1, "thresholds": list(cls.thresholds), "factor": cls.factor}

    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        from facenet_pytorch import MTCNN

        self._mtcnn = MTCNN(
            min_face_size=spec.minimum_face,
            thresholds=list(self.thresholds),
            factor=self.factor,
            keep_all=True,
            device=spec.device,
        )
        self._mtcnn.load_state_dict(tensors, strict=True)
        self._score = spec.detection_score

    def detect(self, image: Image.Image) -> list[Detection]:
        boxes, scores, landmarks = self._mtcnn.detect(image, landmarks=True)
        if boxes is None:
            return []
        found = [
            Detection(np.asarray(box, np.float64), np.asarray(points, np.float64), float(score))
            for box, points, score in zip(boxes, landmarks, scores, strict=True)
            if score >= self._score and box[2] - box[0] >= 1 and box[3] - box[1] >= 1
        ]
        return sorted(found, key=lambda face: (round(face.box[1]), round(face.box[0]), *face.box))


DETECTORS: dict[str, type[Detector]] = {"mtcnn": Mtcnn}


def detector(name: str) -> type[Detector]:
    """The detector of this name.

    Raises:
        InputError: there is none.
    """
    if name not in DETECTORS:
        raise InputError(f"no detector is called {name!r}; use one of: {', '.join(DETECTORS)}")
    return DETECTORS[name]
