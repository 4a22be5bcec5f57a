"""Two networks as one: a picture like those that a network was trained for goes to it, any other to its parent.

A mixture of two experts (Jacobs et al. 1991, "Adaptive Mixtures of Local Experts"), whose gate is learnt afterwards:
what was learnt for bad pictures costs good ones nothing.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from training.folder import TrainingFolder
from training.imitation import all_worse
from training.networks import from_folder, seen_by
from training.plans import EmbedderPlan

Array = np.ndarray
Tensor = torch.Tensor

_SCALES = 4
"""At which detail is measured: that of 1, 2, 4 and 8 pixels."""
_HAAR = torch.tensor([[1, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]]).view(4, 1, 2, 2) / 4
"""The mean of four pixels, and how they differ: Haar's wavelets."""
_NOTHING = 1e-5
"""Added to energies, of which logarithms are taken: less than half a level of 255, squared, which rounding may cost."""
_ENOUGH = 4096
"""Photos by which the gate is learnt, at most."""
_PULL = 1e-3
_STEPS = 100
_AT_ONCE = 64
_GATE_SEED = 4


class Beside(nn.Module):
    """parent, trained: networks of one kind, float (n, 3, side, side) -> (n, d). What comes out is between their unit
    vectors, the nearer to that of `trained` the likelier a picture is one of those that it was trained for. likely:
    float (n, signs) -> (n, 1), the logarithm of the odds of that."""

    def __init__(self, parent: nn.Module, trained: nn.Module, likely: nn.Linear) -> None:
        super().__init__()
        self.parent = parent
        self.trained = trained
        self.likely = likely

    def forward(self, pixels: Tensor) -> Tensor:
        by_parent = self.parent(pixels)
        bad: Tensor = self.likely(signs(pixels, by_parent)).sigmoid()
        return (1 - bad) * functional.normalize(by_parent) + bad * functional.normalize(self.trained(pixels))


def finished(folder: TrainingFolder) -> nn.Module:
    """The network that the training in a folder has come to: float (n, 3, side, side), as it sees pictures -> (n, d).
    The same training on the same machine comes to the same network."""
    plan = folder.plan
    trained = _to_use(from_folder(folder, "trained.pt"))
    if not plan.beside_parent:
        return trained
    parent = _to_use(from_folder(folder, "start.pt"))
    return _to_use(Beside(parent, trained, gate(parent, folder.array("learnt"), plan)))


def _to_use(network: nn.Module) -> nn.Module:
    return network.eval().requires_grad_(False)


def gate(parent: nn.Module, crops: Array, plan: EmbedderPlan) -> nn.Linear:
    """What tells pictures like those of the imitation from good ones: a logistic regression on their signs, learnt from
    crops, uint8 (n, side, side, 3), as they are and made worse."""
    some = crops[:: -(-len(crops) // _ENOUGH)]
    found, is_worse = [], []
    for start in range(0, len(some), _AT_ONCE):
        part = np.array(some[start : start + _AT_ONCE])
        for crop_is_worse in (False, True):
            if crop_is_worse:
                part = all_worse(part, plan.imitation, plan.seed, _GATE_SEED, first=start)
            found.append(_signs_of(parent, part, plan.network))
            is_worse += [float(crop_is_worse)] * len(part)
    signs_of_all = torch.cat(found)
    mean, deviation = signs_of_all.mean(0), signs_of_all.std(0).clamp(min=1e-6)
    weight, offset = _logistic((signs_of_all - mean) / deviation, torch.tensor(is_worse, dtype=torch.float64))
    weight = weight / deviation
    likely = nn.Linear(len(weight), 1)
    likely.load_state_dict({"weight": weight[None].float(), "bias": (offset - weight @ mean)[None].float()})
    return likely


def _signs_of(parent: nn.Module, crops: Array, network: str) -> Tensor:
    sees = seen_by(network)
    with torch.no_grad():
        pixels = torch.from_numpy(crops).permute(0, 3, 1, 2).float()
        pixels = (pixels - sees.shift) / sees.scale
        return signs(pixels, parent(pixels)).double()


def signs(pixels: Tensor, by_parent: Tensor) -> Tensor:
    """What tells how good pictures are: the logarithms of the energy of colour, and of detail at each scale; and what
    the parent makes of them.

    pixels: float (n, 3, side, side). by_parent: float (n, d). Returns float (n, 1 + scales + d).
    """
    grey = pixels.mean(1, keepdim=True)
    energies = [_energy(pixels - grey)]
    for _ in range(_SCALES):
        parts = functional.conv2d(grey, _HAAR, stride=2)
        energies.append(_energy(parts[:, 1:]))
        grey = parts[:, :1]
    return torch.cat([(torch.stack(energies, 1) + _NOTHING).log(), by_parent], 1)


def _energy(values: Tensor) -> Tensor:
    return (values**2).mean((1, 2, 3))


def _logistic(values: Tensor, is_one: Tensor) -> tuple[Tensor, Tensor]:
    """Weights, float64 (signs,), and offset of a logistic regression on values, float64 (n, signs), pulled to 0."""
    weight = torch.zeros(values.shape[1], dtype=torch.float64, requires_grad=True)
    offset = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, offset], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def how_far() -> Tensor:
        optimiser.zero_grad()
        missed = functional.binary_cross_entropy_with_logits(values @ weight + offset, is_one)
        found: Tensor = missed + _PULL * (weight**2).sum()
        found.backward()
        return found

    optimiser.step(how_far)
    return weight.detach(), offset.detach()
