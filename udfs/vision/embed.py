"""Embedders: crops in, unit vectors out."""

from abc import ABC, abstractmethod

import numpy as np
from PIL import Image

from udfs.vision.detect import Detection
from udfs.vision.runtime import Network
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource

Array = np.ndarray


class Embedder(ABC):
    """Cuts the crop it wants, and turns crops into vectors that can be compared by their inner product."""

    dimension: int
    side: int
    """Pixels of a crop's side."""
    _vectors: "UnitVectors"

    @classmethod
    @abstractmethod
    def rule(cls, spec: VisionSpec) -> dict[str, object]:
        """What belongs to the contract besides the weights.

        Raises:
            InputError: the specification asks for what this embedder cannot do.
        """

    @abstractmethod
    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        """Set the network up with its weights."""

    @abstractmethod
    def crop(self, image: Image.Image, face: Detection) -> Array:
        """uint8 (side, side, 3)."""

    @classmethod
    @abstractmethod
    def untrained(cls, spec: VisionSpec) -> "Embedder":
        """One with random weights, to measure how fast it is."""

    def embed(self, crops: list[Array]) -> Array:
        """float32 (n, dimension), each row of length 1."""
        return self._vectors(crops)


class UnitVectors:
    """Runs a network on batches of one fixed size, so that a face's bits do not depend on its neighbours.

    With `spec.flip`, a face's vector is the mean over the crop and its mirror image.
    """

    def __init__(self, network: Network, spec: VisionSpec) -> None:
        self._network = network
        self._batch = spec.batch_size
        self._flip = spec.flip

    def __call__(self, crops: list[Array]) -> Array:
        starts = range(0, len(crops), self._batch)
        return np.concatenate([self._of_batch(crops[start : start + self._batch]) for start in starts])

    def _of_batch(self, crops: list[Array]) -> Array:
        pixels = np.zeros((self._batch, *crops[0].shape), np.uint8)
        pixels[: len(crops)] = crops
        vectors = self._network(pixels)[0].astype(np.float64)
        if self._flip:
            vectors = vectors + self._network(pixels[:, :, ::-1])[0]
        vectors = vectors[: len(crops)]
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
