"""Embedders: crops in, unit vectors out."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision.align import eyes_crop, margin_crop
from udfs.vision.detect import Detection
from udfs.vision.spec import VisionSpec

if TYPE_CHECKING:
    import torch

Array = np.ndarray
Tensors = dict[str, "torch.Tensor"]


class Embedder(ABC):
    """Cuts the crop it wants, and turns crops into vectors that can be compared by their inner product."""

    dimension: int

    @classmethod
    @abstractmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        """What belongs to the contract besides the weights.

        Raises:
            InputError: the specification asks for what this embedder cannot do.
        """

    @abstractmethod
    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        """Set the network up with its weights."""

    @abstractmethod
    def crop(self, image: Image.Image, face: Detection) -> Array:
        """uint8 (side, side, 3)."""

    @abstractmethod
    def embed(self, crops: list[Array]) -> Array:
        """float32 (n, dimension), each row of length 1."""


class _Batches:
    """Runs a network on batches of one fixed size, so that a face's bits do not depend on its neighbours."""

    def __init__(self, network: "torch.nn.Module", spec: VisionSpec, shift: float = 0.0, scale: float = 1.0) -> None:
        import torch

        self._dtype = torch.bfloat16 if spec.precision == "bf16" else torch.float32
        self._device = spec.device
        self._batch = spec.batch_size
        self._shift, self._scale = shift, scale
        self._network = network.eval().to(self._device, self._dtype).to(memory_format=torch.channels_last)

    def embed(self, crops: list[Array]) -> Array:
        parts = [self._embed_batch(crops[start : start + self._batch]) for start in range(0, len(crops), self._batch)]
        return np.concatenate(parts)

    def _embed_batch(self, crops: list[Array]) -> Array:
        import torch

        pixels = np.zeros((self._batch, *crops[0].shape), np.float32)
        pixels[: len(crops)] = crops
        x = torch.from_numpy((pixels - self._shift) / self._scale).permute(0, 3, 1, 2)
        with torch.inference_mode():
            y = self._network(x.to(self._device, self._dtype, memory_format=torch.channels_last))
        vectors = y.float().cpu().numpy()[: len(crops)].astype(np.float64)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class FaceNet(Embedder):
    """InceptionResnetV1 trained on VGGFace2, from facenet-pytorch: 512 dimensions, crops of 160 pixels.

    FaceNet: Schroff et al. 2015; training by D. Sandberg (facenet), port by T. Esler (facenet-pytorch, MIT).
    """

    dimension = 512
    side = 160
    margin = 14  # what the published weights were trained with; facenet-pytorch's own default is 0

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        margin = cls.margin if spec.margin is None else spec.margin
        return {"name": "facenet", "revision": 1, "crop": "margin", "side": cls.side, "margin": margin}

    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        from facenet_pytorch import InceptionResnetV1

        network = InceptionResnetV1(pretrained=None, classify=False)
        # The counters of the batch normalisations take no part in inference and are not among the weights.
        network.load_state_dict({**_counters(network), **tensors}, strict=True)
        self._margin = self.margin if spec.margin is None else spec.margin
        self._batches = _Batches(network, spec, shift=127.5, scale=128.0)

    def crop(self, image: Image.Image, face: Detection) -> Array:
        return margin_crop(image, face, size=self.side, margin=self._margin)

    def embed(self, crops: list[Array]) -> Array:
        return self._batches.embed(crops)


class Dlib(Embedder):
    """dlib's ResNet: 128 dimensions, 150-pixel chips turned on the eyes. Davis King, CC0."""

    dimension = 128
    side = 150

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        if spec.margin is not None:
            raise InputError("dlib-resnet-v1 takes no vision.margin; remove it from the configuration")
        return {"name": "dlib-resnet", "revision": 1, "crop": "eyes", "side": cls.side}

    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        from udfs.vision.dlib_resnet import DlibResNet

        network = DlibResNet()
        network.load_state_dict(tensors, strict=True)
        self._batches = _Batches(network, spec)

    def crop(self, image: Image.Image, face: Detection) -> Array:
        return eyes_crop(image, face, size=self.side)

    def embed(self, crops: list[Array]) -> Array:
        return self._batches.embed(crops)


def _counters(network: "torch.nn.Module") -> Tensors:
    return {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}


EMBEDDERS: dict[str, type[Embedder]] = {"facenet-vggface2": FaceNet, "dlib-resnet-v1": Dlib}


def embedder(name: str) -> type[Embedder]:
    """The embedder of this name.

    Raises:
        InputError: there is none.
    """
    if name not in EMBEDDERS:
        raise InputError(f"no embedder is called {name!r}; use one of: {', '.join(EMBEDDERS)}")
    return EMBEDDERS[name]
