"""What happens inside a network on the way from a face's pixels to its vector, in numbers and pictures of that face."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

Array = np.ndarray

_MAPS = 6
"""Maps of each stage that are shown: the liveliest."""


@dataclass(frozen=True)
class FirstStep:
    """One number of the first convolution's output, as it comes about.

    pixels, weights: float64 (3, size, size), red, green and blue: what the network is given there, and the filter's
    weights. bias, total: of the sum of their products. bent: what the activation makes of it. channel: of the filter.
    row, column: of the number in its map.
    """

    pixels: Array
    weights: Array
    bias: float
    total: float
    bent: float
    channel: int
    row: int
    column: int


@dataclass(frozen=True)
class Stage:
    """The liveliest maps after some layers: float32 (maps, rows, columns). channels: how many there are."""

    layer: int
    maps: Array
    channels: int


@dataclass(frozen=True)
class Pooled:
    """How one of the last maps becomes one number: the sum of float32 (rows, columns) times weights of that shape, and
    bias."""

    map: Array
    weights: Array
    bias: float
    total: float


@dataclass(frozen=True)
class Inside:
    """layers: how many convolutions. parameters: how many numbers were learnt. vector: float32 (d,), of length 1."""

    layers: int
    parameters: int
    first: FirstStep
    stages: list[Stage]
    pooled: Pooled | None
    vector: Array


def inside(module: nn.Module, crop: Array, shift: float, scale: float) -> Inside:
    """Run a network on one crop, uint8 (side, side, 3), and keep what it does.

    The first convolution must be one over the whole picture, which is followed by an activation.
    """
    convolutions = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    given: dict[int, torch.Tensor] = {}
    made: dict[int, torch.Tensor] = {}

    def keep(number: int) -> object:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            given[number], made[number] = inputs[0].detach(), output.detach()

        return hook

    hooks = [layer.register_forward_hook(keep(number)) for number, layer in enumerate(convolutions)]  # type: ignore[arg-type]
    pixels = (torch.from_numpy(crop.astype(np.float32)) - shift) / scale
    try:
        with torch.inference_mode():
            vector = module.eval()(pixels.permute(2, 0, 1)[None])[0].flatten().double()
    finally:
        for hook in hooks:
            hook.remove()
    shown = np.linspace(0, len(convolutions) - 1, 5).astype(int)[:4]
    return Inside(
        layers=len(convolutions),
        parameters=sum(value.numel() for value in module.parameters()),
        first=_first(convolutions[0], given[0][0], made[0][0], given[1][0]),
        stages=[Stage(int(at) + 1, _liveliest(made[int(at)][0]), made[int(at)].shape[1]) for at in shown],
        pooled=_pooled(convolutions, given, made),
        vector=(vector / vector.norm()).float().numpy(),
    )


def _first(layer: nn.Conv2d, given: torch.Tensor, made: torch.Tensor, bent: torch.Tensor) -> FirstStep:
    """The highest number of the liveliest map, away from the edges."""
    channel = int(made.std(dim=(1, 2)).argmax())
    rows, columns = made.shape[1:]
    inner = made[channel, rows // 4 : -rows // 4, columns // 4 : -columns // 4]
    highest = divmod(int(inner.argmax()), inner.shape[1])
    row, column = highest[0] + rows // 4, highest[1] + columns // 4
    size, step, edge = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
    top, left = row * step - edge, column * step - edge
    seen = given[:, top : top + size, left : left + size].double().numpy()
    weights = layer.weight[channel].detach().double().numpy()
    bias = _bias(layer, channel)
    total = float((seen * weights).sum() + bias)
    after = float(bent[channel, row, column]) if bent.shape == made.shape else total
    return FirstStep(seen, weights, bias, total, after, channel, row, column)


def _bias(layer: nn.Conv2d, channel: int) -> float:
    return 0.0 if layer.bias is None else float(layer.bias[channel].detach())


def _liveliest(made: torch.Tensor) -> Array:
    order = made.std(dim=(1, 2)).argsort(descending=True)[:_MAPS]
    return made[order].float().numpy()


def _pooled(
    convolutions: list[nn.Conv2d], given: dict[int, torch.Tensor], made: dict[int, torch.Tensor]
) -> Pooled | None:
    """The convolution that makes one number of each map, if there is one."""
    for number, layer in enumerate(convolutions):
        whole = layer.groups == layer.in_channels > 1 and given[number].shape[2:] == torch.Size(layer.kernel_size)
        if whole:
            channel = int(made[number][0].flatten().abs().argmax())
            weights = layer.weight[channel, 0].detach().float().numpy()
            last = given[number][0, channel].float().numpy()
            return Pooled(last, weights, _bias(layer, channel), float(made[number][0, channel, 0, 0]))
    return None
