"""Embedders: crops in, unit vectors out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

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


class Embedder(Protocol):
    """Cuts the crop it wants, and turns crops into vectors that can be compared by their inner product."""

    dimension: int

    def crop(self, image: Image.Image, face: Detection) -> Array:
        """uint8 (side, side, 3)."""
        ...

    def embed(self, crops: list[Array]) -> Array:
        """float32 (n, dimension), each row of length 1."""
        ...


class _TorchEmbedder:
    """Runs a network on batches of one fixed size, so that a face's bits do not depend on its neighbours."""

    def __init__(self, network: "torch.nn.Module", spec: VisionSpec) -> None:
        import torch

        self._dtype = torch.bfloat16 if spec.precision == "bf16" else torch.float32
        self._device = spec.device
        self._batch = spec.batch_size
        self._network = network.eval().to(self._device, self._dtype, memory_format=torch.channels_last)

    def embed(self, crops: list[Array]) -> Array:
        parts = [
            self._embed_batch(crops[start : start + self._batch]) for start in range(0, len(crops), self._batch)
        ]
        return np.concatenate(parts)

    def _embed_batch(self, crops: list[Array]) -> Array:
        import torch

        pixels = np.zeros((self._batch, *crops[0].shape), np.float32)
        pixels[: len(crops)] = crops
        x = torch.from_numpy(self._normalise(pixels)).permute(0, 3, 1, 2)
        with torch.inference_mode():
            y = self._network(x.to(self._device, self._dtype, memory_format=torch.channels_last))
        vectors = y.float().cpu().numpy()[: len(crops)].astype(np.float64)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def _normalise(self, pixels: Array) -> Array:
        return pixels


class FaceNet(_TorchEmbedder):
    """InceptionResnetV1 trained on VGGFace2, from facenet-pytorch: 512 dimensions, crops of 160 pixels.

    FaceNet: Schroff et al. 2015; training by D. Sandberg (facenet), port by T. Esler (facenet-pytorch, MIT).
    """

    dimension = 512
    side = 160
    margin = 14  # what the published weights were trained with; facenet-pytorch's own default is 0

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        """What belongs to the contract besides the weights."""
        margin = cls.margin if spec.margin is None else spec.margin
        return {"name": "facenet", "revision": 1, "crop": "margin", "side": cls.side, "margin": margin}

    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        from facenet_pytorch import InceptionResnetV1

        network = InceptionResnetV1(pretrained=None, classify=False)
        # The counters of the batch normalisations take no part in inference and are not among the weights.
        network.load_state_dict({**_counters(network), **tensors}, strict=True)
        self._margin = FaceNet.margin if spec.margin is None else spec.margin
        super().__init__(network, spec)

    def crop(self, image: Image.Image, face: Detection) -> Array:
        return margin_crop(image, face, size=self.side, margin=self._margin)

    def _normalise(self, pixels: Array) -> Array:
        return (pixels - 127.5) / 128.0


class Dlib(_TorchEmbedder):
    """dlib's ResNet: 128 dimensions, 150-pixel chips turned on the eyes. Davis King, CC0."""

    dimension = 128
    side = 150

    @classmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        """What belongs to the contract besides the weights.

        Raises:
            InputError: a margin is asked for; the chip of this network has a fixed one.
        """
        if spec.margin is not None:
            raise InputError("dlib-resnet-v1 takes no vision.margin; remove it from the configuration")
        return {"name": "dlib-resnet", "revision": 1, "crop": "eyes", "side": cls.side}

    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        from udfs.vision.dlib_resnet import DlibResNet

        network = DlibResNet()
        network.load_state_dict(tensors, strict=True)
        super().__init__(network, spec)

    def crop(self, image: Image.Image, face: Detection) -> Array:
        return eyes_crop(image, face, size=self.side)


def _counters(network: "torch.nn.Module") -> Tensors:
    return {name: value for name, value in network.state_dict().items() if name.endswith("num_batches_tracked")}


EMBEDDERS: dict[str, Callable[[VisionSpec, Tensors], Embedder]] = {
    "facenet-vggface2": FaceNet,
    "dlib-resnet-v1": Dlib,
}


def embedder_rule(spec: VisionSpec) -> dict[str, object]:
    """What belongs to the contract of the configured embedder, besides its weights.

    Raises:
        InputError: no embedder has this name.
    """
    if spec.embedder not in EMBEDDERS:
        raise InputError(f"no embedder is called {spec.embedder!r}; use one of: {', '.join(EMBEDDERS)}")
    return EMBEDDERS[spec.embedder].rule(spec)  # type: ignore[attr-defined,no-any-return]
