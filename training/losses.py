"""The losses that embedders are trained with, by name; `plans.LOSSES` says where they are from.

Each is a module: vectors float32 (n, d), not normalised, and labels int64 (n,), whom each shows -> a scalar. Those of
pairs and triplets need several photos of a person in a batch, and see vectors of length 1; those of classes have a
proxy, or a row of weights, for each person. pytorch-metric-learning computes what it has.
"""

from collections.abc import Callable

import torch
from pytorch_metric_learning import distances, losses, miners, reducers
from torch import nn
from torch.nn import functional

from udfs.errors import InputError

Tensor = torch.Tensor
Learns = Callable[[int, int], nn.Module]
"""persons, dimension -> the module."""

_SQUARED = 2  # FaceNet's triplets are of squared distances


class Softmax(nn.Module):
    """Cross entropy of a linear classifier."""

    def __init__(self, persons: int, dimension: int) -> None:
        super().__init__()
        self.classifier = nn.Linear(dimension, persons)

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(self.classifier(vectors), labels)


class Center(nn.Module):
    """Softmax, and half the squared distance to the centre of one's class, weighted. The centres are learnt by their
    gradient, as everything else is; the paper moves them by a rule of its own."""

    def __init__(self, persons: int, dimension: int, weight: float = 0.003) -> None:
        super().__init__()
        self.softmax = Softmax(persons, dimension)
        self.centers = nn.Parameter(torch.randn(persons, dimension) / dimension**0.5)
        self.weight = weight

    def pull(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Half the squared distance to the centre, the mean over the batch."""
        return ((vectors - self.centers[labels]) ** 2).sum(1).mean() / 2

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        softmax: Tensor = self.softmax(vectors, labels)
        return softmax + self.weight * self.pull(vectors, labels)


class Contrastive(nn.Module):
    """Half the squared distance of mated pairs, and half the squared shortfall of the others from the margin; the mean
    over all pairs of the batch."""

    def __init__(self, margin: float = 1.0, epsilon: float = 1e-9) -> None:
        super().__init__()
        self.margin = margin
        self.epsilon = epsilon
        """Under the root, whose slope at 0 is infinite: two equal vectors would make everything not-a-number."""

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        left, right = torch.triu_indices(len(vectors), len(vectors), 1, device=vectors.device)
        unit = functional.normalize(vectors)
        distance = (((unit[left] - unit[right]) ** 2).sum(1) + self.epsilon).sqrt()
        mated = labels[left] == labels[right]
        return torch.where(mated, distance**2, (self.margin - distance).clamp(min=0) ** 2).mean() / 2


class Mined(nn.Module):
    """A loss of triplets, which a miner chooses."""

    def __init__(self, miner: nn.Module, loss: nn.Module) -> None:
        super().__init__()
        self.miner = miner
        self.loss = loss

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        found: Tensor = self.loss(vectors, labels, self.miner(vectors, labels))
        return found


def _triplets(margin: float, power: int = 1, per_anchor: int | str = "all") -> losses.TripletMarginLoss:
    return losses.TripletMarginLoss(
        margin=margin,
        distance=distances.LpDistance(power=power),
        reducer=reducers.MeanReducer(),
        triplets_per_anchor=per_anchor,
    )


def _semi_hard(_persons: int, _dimension: int) -> nn.Module:
    squared = distances.LpDistance(power=_SQUARED)
    return Mined(miners.TripletMarginMiner(0.2, "semihard", distance=squared), _triplets(0.2, _SQUARED))


def _distance_weighted(persons: int, _dimension: int) -> nn.Module:
    weighted = losses.MarginLoss(margin=0.2, beta=1.2, learn_beta=True, num_classes=persons)
    return Mined(miners.DistanceWeightedMiner(cutoff=0.5, nonzero_loss_cutoff=1.4), weighted)


_SCALE = 32.0
"""Of cosines, in front of the softmax: 64 is for tens of thousands of persons."""

_LEARNS: dict[str, Learns] = {
    "softmax": Softmax,
    "center": Center,
    "l-softmax": lambda persons, d: losses.LargeMarginSoftmaxLoss(persons, d, margin=2),
    "normface": lambda persons, d: losses.NormalizedSoftmaxLoss(persons, d, temperature=1 / _SCALE),
    "cosface": lambda persons, d: losses.CosFaceLoss(persons, d, margin=0.3, scale=_SCALE),
    # The margin is in degrees: 0.5 radians.
    "arcface": lambda persons, d: losses.ArcFaceLoss(persons, d, margin=28.6, scale=_SCALE),
    "contrastive": lambda _persons, _d: Contrastive(),
    "triplet": lambda _persons, _d: _triplets(0.2, _SQUARED, per_anchor=1),
    "semi-hard": _semi_hard,
    "trihard": lambda _persons, _d: Mined(miners.BatchHardMiner(), _triplets(0.3)),
    "lifted": lambda _persons, _d: losses.LiftedStructureLoss(neg_margin=1, pos_margin=0),
    "margin": _distance_weighted,
}


def learning(name: str, persons: int, dimension: int) -> nn.Module:
    """The loss of this name (`plans.LOSSES`) for so many persons, and vectors of this length.

    Raises:
        InputError: there is none.
    """
    if name not in _LEARNS:
        raise InputError(f"no loss is called {name!r}; use one of: {', '.join(_LEARNS)}")
    return _LEARNS[name](persons, dimension)


def start_at(module: nn.Module, means: Tensor) -> None:
    """Put a loss's proxies where the persons are: at the mean of their unit vectors, float32 (persons, d), as the
    network sees them before it is trained. A loss whose weights have another meaning, or that has none, stays as it
    is."""
    if isinstance(module, losses.CosFaceLoss | losses.ArcFaceLoss | losses.NormalizedSoftmaxLoss):
        with torch.no_grad():
            module.W.copy_(functional.normalize(means).T)
    elif isinstance(module, Center):
        with torch.no_grad():
            module.centers.copy_(means)
