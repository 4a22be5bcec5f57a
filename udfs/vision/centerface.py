"""CenterFace: an anchor-free detector that reads faces off a heat map.

Xu et al. 2020, "CenterFace: Joint Face Detection and Alignment Using Face as Point" (MIT-licensed network).
"""

import io
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from udfs.kept import Files, kept
from udfs.vision.detect import Detection, Detector, in_order
from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec
from udfs.vision.suppression import overlaps, without_overlap
from udfs.vision.tensors import WeightsSource, put

if TYPE_CHECKING:
    from udfs.vision.centerface_net import CenterFaceNet

Array = np.ndarray

_STRIDE = 4  # pixels of the picture a cell of the heat map
_AGREE = 0.35  # intersection over union of a box and that of the second look
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
        build = partial(_built, weights)
        self._features = network(build, spec, of=weights.digest)
        self._heat, self._size, self._offset, self._landmarks = _outputs(build, weights.digest)
        self._score = spec.detection_score if spec.detection_score is not None else self.score
        self.scale = self.scale_for(spec.minimum_face)
        self._least = self._tolerance * self.scale * spec.minimum_face

    @classmethod
    def scale_for(cls, minimum_face: int) -> float:
        """At which it looks at pictures in which the smallest face wanted has so many pixels."""
        return min(1.0, cls.smallest / minimum_face)

    def canvas(self, width: int, height: int) -> tuple[int, int]:
        return _up(height), _up(width)

    def detect(self, pictures: Array) -> list[list[Detection]]:
        return [self._read(features) for features in self._features(pictures)[0]]

    def _read(self, features: Array) -> list[Detection]:
        """features: float32 (24, rows, columns)."""
        heat = 1 / (1 + np.exp(-self._heat(features.reshape(len(features), -1)).reshape(features.shape[1:])))
        rows, columns = np.nonzero(heat >= self._score)
        height, width = np.exp(self._size(features[:, rows, columns])) * _STRIDE
        possible = self._possible_faces(heat[rows, columns], np.minimum(height, width))
        rows, columns, height, width = rows[possible], columns[possible], height[possible], width[possible]
        scores, hot = heat[rows, columns], features[:, rows, columns]
        shift_y, shift_x = self._offset(hot)
        top = (rows + shift_y + 0.5) * _STRIDE - height / 2
        left = (columns + shift_x + 0.5) * _STRIDE - width / 2
        boxes = np.stack([left, top, left + width, top + height], 1)
        points = self._landmarks(hot).reshape(5, 2, -1)  # y, then x, in shares of the box
        xy = np.stack([points[:, 1] * width + left, points[:, 0] * height + top], -1)
        best = without_overlap(boxes, scores, self._overlap)
        faces = [Detection(boxes[at], xy[:, at], float(scores[at])) for at in best]
        return in_order([face for face in faces if face.side >= self._least])

    def _possible_faces(self, scores: Array, sides: Array) -> Array:
        """Which cells may stand for a face, by score and shorter side; bool (n,)."""
        return np.ones(len(scores), bool)


class CenterFaceTwice(CenterFace):
    """CenterFace, which looks again at small faces of which it is not sure, at up to twice the size.

    In wider-dev it finds a little more, and a third of what is not a face (`benchmarks/detect.py`): what looks like a
    face in 20 pixels seldom does in 40, and a face that hardly does, more.
    """

    _tolerance = 0.825  # what is not a face is found out, so that more of the tight boxes can be taken
    _possible = 0.2  # scores between these are doubted
    _certain = 0.6
    _small = 32  # pixels of the shorter side, as first seen; larger faces gain little
    _window = 96  # pixels of the sides of the second look
    _shown = 40  # pixels of the face in it, at most

    @classmethod
    def rule(cls) -> dict[str, object]:
        second = {"possible": cls._possible, "certain": cls._certain, "small": cls._small, "window": cls._window}
        return {**super().rule(), "revision": 2, "second": {**second, "shown": cls._shown}}

    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        super().__init__(spec, weights)
        # Of one size, which is quicker than a network of any size that is given another one each time.
        shape = (1, self._window, self._window)
        self._close = network(partial(_built, weights), spec, of=weights.digest, shape=shape)
        self._wanted, self._score = self._score, min(self._possible, self._score)

    def _possible_faces(self, scores: Array, sides: Array) -> Array:
        return (sides >= self._least) & ((scores >= self._wanted) | (sides <= self._small))

    def doubts(self, face: Detection) -> bool:
        return face.score < max(self._certain, self._wanted) and face.side <= self._small

    def again(self, image: Image.Image, face: Detection, scale: float) -> Detection | None:
        zoom = min(2 * scale, self._shown / face.side, 1.0)
        left, top = (face.box[:2] + face.box[2:]) / 2 - self._window / zoom / 2
        x, y = max(0, round(left)), max(0, round(top))
        right, bottom = (
            min(side, round(at + self._window / zoom)) for side, at in zip(image.size, (left, top), strict=True)
        )
        region = image.crop((x, y, right, bottom))
        size = [min(self._window, max(1, round(side * zoom))) for side in region.size]
        canvas = np.zeros((1, self._window, self._window, 3), np.uint8)
        canvas[0, : size[1], : size[0]] = np.asarray(region.resize(size, Image.Resampling.BILINEAR))
        across, down = region.width / size[0], region.height / size[1]
        seen = [found.scaled(across, down).moved(x, y) for found in self._read(self._close(canvas)[0][0])]
        if not seen:
            return None
        shared = overlaps(face.box, np.stack([found.box for found in seen]))
        best = seen[int(shared.argmax())]
        agree = shared.max() >= _AGREE and best.score >= self._wanted
        return best if agree and best.side * scale >= self._least else None


def _built(weights: WeightsSource) -> "CenterFaceNet":
    from udfs.vision.centerface_net import CenterFaceNet

    return put(CenterFaceNet(), weights.read())


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

    files = make() if digest is None else kept(__package__, {"outputs of": digest}, make)
    arrays = np.load(io.BytesIO(files["outputs.npz"]))
    return [_linear(arrays[f"{at}.weight"], arrays[f"{at}.bias"]) for at in range(len(arrays) // 2)]


def _linear(weight: Array, bias: Array) -> Callable[[Array], Array]:
    """A convolution of single cells."""
    return lambda cells: weight[:, :, 0, 0] @ cells + bias[:, None]


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE
