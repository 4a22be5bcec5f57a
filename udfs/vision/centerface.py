"""CenterFace: an anchor-free detector that reads faces off a heat map.

Xu et al. 2020, "CenterFace: Joint Face Detection and Alignment Using Face as Point" (MIT-licensed network).
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from udfs.vision.detect import Detection, Detector, in_order
from udfs.vision.kept import Files, kept
from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec
from udfs.vision.suppression import without_overlap
from udfs.vision.tensors import WeightsSource, put

if TYPE_CHECKING:
    from udfs.vision.centerface_net import CenterFaceNet

Array = np.ndarray

_STRIDE = 4  # pixels of the picture a cell of the heat map
_MULTIPLE = 32  # both sides of a canvas: the backbone halves five times, and the neck doubles back


class CenterFace(Detector):
    """CenterFace on a picture in which the smallest face wanted is 20 pixels: it needs no more to see one."""

    score = 0.4
    smallest = 20
    _tolerance = 0.9  # a box may be a little tighter than the face it stands for
    _overlap = 0.3  # intersection over union at which the lower of two boxes is dropped

    @classmethod
    def rule(cls) -> dict[str, object]:
        return {"name": "centerface", "revision": 1, "overlap": cls._overlap, "smallest": cls.smallest}

    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        def build() -> "CenterFaceNet":
            from udfs.vision.centerface_net import CenterFaceNet

            return put(CenterFaceNet(), weights.read())

        self._features = network(build, spec, of=weights.digest)
        self._heat, self._size, self._offset, self._landmarks = _outputs(build, weights.digest)
        self._score = spec.detection_score if spec.detection_score is not None else self.score
        self.scale = min(1.0, self.smallest / spec.minimum_face)
        self._least = self._tolerance * self.scale * spec.minimum_face

    def canvas(self, width: int, height: int) -> tuple[int, int]:
        return _up(height), _up(width)

    def detect(self, pictures: Array) -> list[list[Detection]]:
        return [self._read(features) for features in self._features(pictures)[0]]

    def _read(self, features: Array) -> list[Detection]:
        """features: float32 (24, rows, columns)."""
        heat = 1 / (1 + np.exp(-self._heat(features.reshape(len(features), -1)).reshape(features.shape[1:])))
        rows, columns = np.nonzero(heat >= self._score)
        scores, hot = heat[rows, columns], features[:, rows, columns]
        height, width = np.exp(self._size(hot)) * _STRIDE
        shift_y, shift_x = self._offset(hot)
        top = (rows + shift_y + 0.5) * _STRIDE - height / 2
        left = (columns + shift_x + 0.5) * _STRIDE - width / 2
        boxes = np.stack([left, top, left + width, top + height], 1)
        points = self._landmarks(hot).reshape(5, 2, -1)  # y, then x, in shares of the box
        xy = np.stack([points[:, 1] * width + left, points[:, 0] * height + top], -1)
        best = without_overlap(boxes, scores, self._overlap)
        faces = [Detection(boxes[at], xy[:, at], float(scores[at])) for at in best]
        return in_order([face for face in faces if face.side >= self._least])


def _outputs(build: "Callable[[], CenterFaceNet]", digest: str | None) -> list[Callable[[Array], Array]]:
    """What a cell says of a face, each from its features: (24, n) -> (values, n), in float32."""

    def make() -> Files:
        arrays = {
            f"{at}.{name}": value.numpy()
            for at, layer in enumerate(build().outputs)
            for name, value in layer.state_dict().items()
        }
        content = io.BytesIO()
        np.savez(content, **arrays)
        return {"outputs.npz": content.getvalue()}

    files = make() if digest is None else kept({"outputs of": digest}, make)
    arrays = np.load(io.BytesIO(files["outputs.npz"]))
    return [_linear(arrays[f"{at}.weight"], arrays[f"{at}.bias"]) for at in range(len(arrays) // 2)]


def _linear(weight: Array, bias: Array) -> Callable[[Array], Array]:
    """A convolution of single cells."""
    return lambda cells: weight[:, :, 0, 0] @ cells + bias[:, None]


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE
