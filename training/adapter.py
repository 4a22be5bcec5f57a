"""Learns a map on embeddings that there are already, from who is on the photos. It takes seconds.

The map begins as the identity and is pulled back to it: what few photos do not ask for stays as it is.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from training.batches import Batches
from training.losses import learning, start_at
from training.plans import LOSSES, AdapterPlan, Shape
from udfs.errors import InputError
from udfs.vision.adapter import Adapter

Array = np.ndarray
Tensor = torch.Tensor


PROXIES_RATE = 10
"""Times the rate: what a loss has learnt of its persons is forgotten afterwards, and may move as it likes."""


class Residual(nn.Module):
    """The map as torch learns it."""

    def __init__(self, dimension: int, shape: Shape, rank: int) -> None:
        super().__init__()
        inner = dimension if shape == "linear" else rank
        self.first = nn.Linear(dimension, inner)
        self.second = None if shape == "linear" else nn.Linear(inner, dimension, bias=False)
        self.bent = shape == "two-layer"
        nn.init.zeros_(self.first.bias)
        nn.init.zeros_((self.first if self.second is None else self.second).weight)

    def forward(self, vectors: Tensor) -> Tensor:
        inside = self.first(vectors)
        if self.bent:
            inside = functional.relu(inside)
        added: Tensor = inside if self.second is None else self.second(inside)
        return vectors + added

    def pull(self) -> Tensor:
        """The sum of the squares of the weights that are 0 where the map is the identity."""
        return ((self.first if self.second is None else self.second).weight ** 2).sum()

    def adapter(self) -> Adapter:
        """The map as it is kept."""
        first, offset = (value.detach().numpy().copy() for value in (self.first.weight, self.first.bias))
        second = None if self.second is None else self.second.weight.detach().numpy().copy()
        return Adapter(first, offset, second, self.bent)


def fitted(vectors: Array, labels: Array, plan: AdapterPlan) -> tuple[Adapter, list[float]]:
    """The adapter that is learnt from vectors, float32 (n, d) of length 1, and whom they show, int (n,) from 0; and
    the loss of each step. The same plan on the same machine gives the same adapter.

    Raises:
        InputError: no such loss, too few persons, or a loss that is no number.
    """
    persons, dimension = int(labels.max()) + 1, vectors.shape[1]
    torch.manual_seed(plan.seed)
    residual = Residual(dimension, plan.shape, plan.rank)
    learns = learning(plan.loss, persons, dimension)
    given, shown = torch.from_numpy(vectors), torch.from_numpy(labels.astype(np.int64))
    start_at(learns, means(given, shown))
    batches = Batches(labels, min(plan.batch, len(labels)), LOSSES[plan.loss].several, plan.seed)
    proxies = list(learns.parameters())
    rates = [plan.rate, *([PROXIES_RATE * plan.rate] if proxies else [])]
    optimiser = torch.optim.Adam([{"params": part} for part in (list(residual.parameters()), proxies) if part])
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=max(2, plan.steps))
    course = []
    for step in range(plan.steps):
        which = torch.from_numpy(batches.at(step))
        found = learns(residual(given[which]), shown[which])
        refuse_no_number(found, plan.loss, step)
        optimiser.zero_grad()
        (found + plan.pull * residual.pull()).backward()
        optimiser.step()
        cycle.step()
        course.append(found.item())
    return residual.adapter(), course


def means(vectors: Tensor, labels: Tensor) -> Tensor:
    """The mean vector of each person: float32 (persons, d)."""
    count = torch.bincount(labels)
    summed = torch.zeros(len(count), vectors.shape[1]).index_add_(0, labels, vectors)
    return summed / count[:, None]


def refuse_no_number(value: Tensor, name: str, step: int) -> None:
    """Stop where a loss is no number.

    Raises:
        InputError: it is none.
    """
    if not torch.isfinite(value):
        raise InputError(
            f"the loss {name!r} was no number any more at step {step + 1}; take a lower --rate, or another --loss"
        )
