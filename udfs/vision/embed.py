"""Embedders: crops in, unit vectors out."""

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision import own_file
from udfs.vision.adapter import Adapter
from udfs.vision.crops import arcface_crop, eyes_crop, margin_crop
from udfs.vision.declaration import AdaptedModel, Crop, EmbedderDeclaration, EmbedderModel, FusedModel, OnnxModel
from udfs.vision.detect import Detection
from udfs.vision.int8 import ranges_of
from udfs.vision.onnx_network import onnx_network
from udfs.vision.runtime import Network, network
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource, put

if TYPE_CHECKING:
    import torch

Array = np.ndarray
Crops = tuple[Array, ...]
"""What each network of an embedder sees of one face."""


class Embedder(ABC):
    """Cuts the crops that its networks want, and turns crops into vectors that can be compared by their inner product.

    side: pixels of the largest crop's side.
    """

    side: int

    @abstractmethod
    def crop(self, image: Image.Image, face: Detection) -> Crops:
        """What each network sees of a face: uint8 (side, side, 3)."""

    @abstractmethod
    def embed(self, crops: Sequence[Crops]) -> Array:
        """float32 (n, dimension), each row of length 1."""


class NetworkEmbedder(Embedder):
    """An embedder of one network."""

    def __init__(self, crop: Crop, network: Network, spec: VisionSpec) -> None:
        self.side = crop.side
        self._crop, self._margin = crop, crop.margin(spec)
        self._vectors = UnitVectors(network, spec)

    def crop(self, image: Image.Image, face: Detection) -> Crops:
        return (cut(self._crop, self._margin, image, face),)

    def embed(self, crops: Sequence[Crops]) -> Array:
        return self._vectors([crop for (crop,) in crops])


class FusedEmbedder(Embedder):
    """Embedders beside each other."""

    def __init__(self, parts: list[Embedder], shares: list[float]) -> None:
        self._parts, self._shares = parts, shares
        self.side = max(part.side for part in parts)

    def crop(self, image: Image.Image, face: Detection) -> Crops:
        return tuple(crop for part in self._parts for crop in part.crop(image, face))

    def embed(self, crops: Sequence[Crops]) -> Array:
        found = [
            np.sqrt(share) * part.embed([(of_face[at],) for of_face in crops]).astype(np.float64)
            for at, (part, share) in enumerate(zip(self._parts, self._shares, strict=True))
        ]
        vectors = np.concatenate(found, axis=1)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class AdaptedEmbedder(Embedder):
    """An embedder whose vectors pass through an adapter."""

    def __init__(self, of: Embedder, adapter: Adapter) -> None:
        self._of, self._adapter = of, adapter
        self.side = of.side

    def crop(self, image: Image.Image, face: Detection) -> Crops:
        return self._of.crop(image, face)

    def embed(self, crops: Sequence[Crops]) -> Array:
        return self._adapter(self._of.embed(crops))


def embedder_of(model: EmbedderDeclaration, spec: VisionSpec, source: Callable[[str], WeightsSource]) -> Embedder:
    """The embedder that a declaration describes. source: of the weights of a packaged model, by its name.

    Raises:
        InputError: an absent device, a precision it does not compute in, or wrong weights.
    """
    if isinstance(model, AdaptedModel):
        return AdaptedEmbedder(embedder_of(model.of, model.spec(spec), source), adapter_of(model, spec))
    if isinstance(model, FusedModel):
        parts = [embedder_of(part.model, part.spec(spec), source) for part in model.parts]
        return FusedEmbedder(parts, [part.share for part in model.parts])
    if isinstance(model, OnnxModel):
        return NetworkEmbedder(model.crop, onnx_network(model.declared, spec), spec)
    return NetworkEmbedder(model.crop, _packaged(model, spec, source(model.name)), spec)


def adapter_of(model: AdaptedModel, spec: VisionSpec) -> Adapter:
    """The adapter of an embedder, from the declared file or the copy that `spec.weights` names.

    Raises:
        InputError: another file than was declared, no adapter, or one for vectors of another length.
    """
    own = model.declared
    where = dict(spec.weights).get(own.name, own.file)
    adapter = Adapter.of(own_file.read(own, dict(spec.weights).get(own.name)), where)
    if adapter.dimension != model.dimension:
        raise InputError(
            f"{where}: adapts vectors of {adapter.dimension} values, and those of {model.of.name!r} have"
            f" {model.dimension}; correct `of` in [models.{own.name}]"
        )
    return adapter


def _packaged(model: EmbedderModel, spec: VisionSpec, weights: WeightsSource) -> Network:
    ranges = None if model.int8 is None else ranges_of(model.int8)
    shape = (spec.batch_size, model.crop.side, model.crop.side)
    build = partial(torch_module, model, weights)
    return network(build, spec, of=weights.digest, shift=model.shift, scale=model.scale, shape=shape, ranges=ranges)


def torch_module(model: EmbedderModel, weights: WeightsSource) -> "torch.nn.Module":
    """The network of a packaged model with its weights."""
    module: torch.nn.Module = pkgutil.resolve_name(model.network)()
    return put(module, weights.read())


def untrained(model: EmbedderDeclaration, spec: VisionSpec) -> Embedder:
    """An embedder with random weights, to measure how fast it is; networks of one's own are read from their files.

    Raises:
        InputError: as of `embedder_of`.
    """

    networks = {of.name: of.network for of in model.networks if isinstance(of, EmbedderModel)}

    def source(name: str) -> WeightsSource:
        return WeightsSource(None, lambda: pkgutil.resolve_name(networks[name])().state_dict())

    return embedder_of(model, spec, source)


def cut(crop: Crop, margin: int | None, image: Image.Image, face: Detection) -> Array:
    """The square of a face: uint8 (side, side, 3)."""
    if crop.rule == "margin":
        return margin_crop(image, face, size=crop.side, margin=margin or 0)
    turned = eyes_crop if crop.rule == "eyes" else arcface_crop
    return turned(image, face, size=crop.side)


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
