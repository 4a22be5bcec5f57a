"""dlib's face recognition network."""

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision.crops import eyes_crop
from udfs.vision.detect import Detection
from udfs.vision.embed import Embedder, UnitVectors
from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource, put

if TYPE_CHECKING:
    from udfs.vision.dlib_resnet import DlibResNet

Array = np.ndarray


class Dlib(Embedder):
    """128 dimensions, 150-pixel chips turned on the eyes. Davis King, CC0."""

    dimension = 128
    side = 150

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        if spec.margin is not None:
            raise InputError("dlib-resnet-v1 takes no vision.margin; remove it from the configuration")
        flip = {"flip": True} if spec.flip else {}
        return {"name": "dlib-resnet", "revision": 1, "crop": "eyes", "side": cls.side, **flip}

    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        shape = (spec.batch_size, self.side, self.side)
        build = partial(_with_weights, weights)
        self._vectors = UnitVectors(network(build, spec, of=weights.digest, shape=shape), spec)

    @classmethod
    def untrained(cls, spec: VisionSpec) -> "Dlib":
        return cls(spec, WeightsSource(None, lambda: _untrained().state_dict()))

    def crop(self, image: Image.Image, face: Detection) -> Array:
        return eyes_crop(image, face, size=self.side)


def _untrained() -> "DlibResNet":
    from udfs.vision.dlib_resnet import DlibResNet

    return DlibResNet()


def _with_weights(weights: WeightsSource) -> "DlibResNet":
    return put(_untrained(), weights.read())
