"""FaceNet: InceptionResnetV1 trained on VGGFace2."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from udfs.ids import document_id
from udfs.vision.crops import margin_crop
from udfs.vision.detect import Detection
from udfs.vision.embed import Embedder, UnitVectors
from udfs.vision.int8 import Ranges, ranges_of
from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource, put

if TYPE_CHECKING:
    from facenet_pytorch import InceptionResnetV1

Array = np.ndarray


class FaceNet(Embedder):
    """512 dimensions, crops of 160 pixels.

    FaceNet: Schroff et al. 2015; training by D. Sandberg (facenet), port by T. Esler (facenet-pytorch, MIT).
    """

    dimension = 512
    side = 160
    margins = {"mtcnn": 14, "centerface": 26}  # noqa: RUF012
    """Pixels of the crop beside the box, of both sides together, by detector: their boxes differ. 14 with
    MTCNN is what the published weights were trained with (facenet-pytorch's own default is 0); 26 with
    CenterFace has the best TAR at FAR 1e-3 on LFW's pairsDevTrain, of 0, 8, 14, 20, 26 and 32."""

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        flip = {"flip": True} if spec.flip else {}
        return {"name": "facenet", "revision": 1, "crop": "margin", "side": cls.side, "margin": _margin(spec), **flip}

    def __init__(self, spec: VisionSpec, weights: WeightsSource, ranges: Ranges | None = None) -> None:
        shape = (spec.batch_size, self.side, self.side)
        self._margin = _margin(spec)
        build = partial(_with_weights, weights)
        net = network(build, spec, of=weights.digest, shift=127.5, scale=128.0, shape=shape, ranges=ranges)
        self._vectors = UnitVectors(net, spec)

    @classmethod
    def untrained(cls, spec: VisionSpec) -> "FaceNet":
        return cls(spec, WeightsSource(None, lambda: untrained_network().state_dict()))

    def crop(self, image: Image.Image, face: Detection) -> Array:
        return margin_crop(image, face, size=self.side, margin=self._margin)


class FaceNetInt8(FaceNet):
    """FaceNet with its convolutions in 8-bit integers; see `int8.py`. Everything else is as precise as configured."""

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        ranges = ranges_of("facenet-vggface2")
        return {**super().rule(spec), "int8": {"revision": 1, "ranges": document_id(ranges)}}

    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        super().__init__(spec, weights, ranges_of("facenet-vggface2"))


def untrained_network() -> "InceptionResnetV1":
    """InceptionResnetV1 with random weights."""
    from facenet_pytorch import InceptionResnetV1

    return InceptionResnetV1(pretrained=None, classify=False)


def _with_weights(weights: WeightsSource) -> "InceptionResnetV1":
    return put(untrained_network(), weights.read())


def _margin(spec: VisionSpec) -> int:
    return FaceNet.margins[spec.detector] if spec.margin is None else spec.margin
