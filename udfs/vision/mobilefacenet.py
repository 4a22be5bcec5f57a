"""MobileFaceNet: a small network, and a quick one."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision.crops import landmarks_crop
from udfs.vision.detect import Detection
from udfs.vision.embed import Embedder, UnitVectors
from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource, put

if TYPE_CHECKING:
    from udfs.vision.mobilefacenet_net import MobileFaceNetModule

Array = np.ndarray


class MobileFaceNet(Embedder):
    """192 dimensions, crops of 112 pixels turned on the five landmarks. Chen et al. 2018, arXiv 1804.07573."""

    dimension = 192
    side = 112

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        if spec.margin is not None:
            raise InputError("mobilefacenet takes no vision.margin; remove it from the configuration")
        flip = {"flip": True} if spec.flip else {}
        return {"name": "mobilefacenet", "revision": 1, "crop": "arcface", "side": cls.side, **flip}

    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        shape = (spec.batch_size, self.side, self.side)
        build = partial(_with_weights, weights)
        net = network(build, spec, of=weights.digest, shift=127.5, scale=128.0, shape=shape)
        self._vectors = UnitVectors(net, spec)

    @classmethod
    def untrained(cls, spec: VisionSpec) -> "MobileFaceNet":
        return cls(spec, WeightsSource(None, lambda: _untrained().state_dict()))

    def crop(self, image: Image.Image, face: Detection) -> Array:
        return landmarks_crop(image, face, size=self.side)


def _untrained() -> "MobileFaceNetModule":
    from udfs.vision.mobilefacenet_net import MobileFaceNetModule

    return MobileFaceNetModule()


def _with_weights(weights: WeightsSource) -> "MobileFaceNetModule":
    return put(_untrained(), weights.read())
