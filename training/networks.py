"""Networks that can be trained, and what of them is."""

import pkgutil
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils import parametrize

from training.folder import TrainingFolder
from training.plans import SIAMESE, EmbedderPlan
from udfs.errors import InputError
from udfs.vision.declaration import Crop
from udfs.vision.models import NETWORKS
from udfs.vision.preprocessing import LIKE, Preprocessing

Tensor = torch.Tensor

_HEAD = 32


class Siamese(nn.Module):
    """DenseNet-121 with a head of 32 values: float (n, 3, side, side) -> (n, 32). Both pictures of a pair go through
    the same weights (Bromley et al. 1993)."""

    def __init__(self) -> None:
        from torchvision.models import densenet121

        super().__init__()
        self.network = densenet121(weights=None, num_classes=_HEAD)

    def forward(self, x: Tensor) -> Tensor:
        vectors: Tensor = self.network(x)
        return vectors


def untrained(name: str) -> nn.Module:
    """The network of a model with random weights.

    Raises:
        InputError: no such network.
    """
    if name == SIAMESE:
        return Siamese()
    seen_by(name)
    module: nn.Module = pkgutil.resolve_name(NETWORKS[name].network)()
    return module


def from_folder(folder: TrainingFolder, weights: str) -> nn.Module:
    """The network that is trained in a folder, with some of the weights that are there: `start.pt`, `trained.pt`."""
    network = untrained(folder.plan.network)
    network.load_state_dict(folder.read(weights), strict=False)
    return network


def seen_by(name: str) -> Preprocessing:
    """What a network sees of a face.

    Raises:
        InputError: no such network, or one that computes in integers, which have no slopes.
    """
    if name == SIAMESE:
        return LIKE["mobilefacenet"]
    able = [other for other, model in NETWORKS.items() if model.int8 is None]
    if name not in able:
        raise InputError(
            f"{name!r} cannot be trained; use one of: {', '.join(able)}, {SIAMESE} (of a fused embedder, one of its"
            " parts)"
        )
    model = NETWORKS[name]
    return Preprocessing(Crop(model.crop.rule, model.crop.side, model.crop.margins), "rgb", model.shift, model.scale)


class _LowRank(nn.Module):
    """Weights with an update of low rank, which is 0 at first."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows = weight.shape[0]
        columns = weight.numel() // rows
        rank = min(rank, rows, columns)
        self.up = nn.Parameter(torch.zeros(rows, rank))
        self.down = nn.Parameter(torch.randn(rank, columns) / columns**0.5)

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (self.up @ self.down).view_as(weight)


def set_part(module: nn.Module, plan: EmbedderPlan) -> None:
    """Choose which weights are learnt; all others stay as they are, and so do the statistics of batch normalisations
    of a network that was trained before: a few photos are no better sample."""
    if plan.part == "whole":
        return
    module.requires_grad_(False)
    layers = list(_layers(module))
    if plan.part == "last":
        for layer in layers[-plan.last :]:
            layer.requires_grad_(True)
        return
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", _LowRank(layer.weight, plan.rank))


def _layers(module: nn.Module) -> Iterator[nn.Conv2d | nn.Linear]:
    return (layer for layer in module.modules() if isinstance(layer, nn.Conv2d | nn.Linear))


def merged(module: nn.Module) -> nn.Module:
    """The network with its updates in its weights."""
    for layer in _layers(module):
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    return module


def training_mode(module: nn.Module, *, new: bool) -> None:
    """Ready to learn. new: whether it begins with random weights, so that its statistics are learnt as well."""
    module.train()
    if new:
        return
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.eval()
