"""MobileFaceNet as a torch module, and its weights out of the TensorFlow Lite file.

Chen et al. 2018, "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile Devices"
(arXiv 1804.07573). OpenVINO reads the file; its batch is fixed there, and its PReLUs are spelled out step by step.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from udfs.vision.tensors import Tensors

Array = np.ndarray

# Channels inside, channels out, stride: inverted residuals, added to their input where its shape is the same.
_BLOCKS = (
    (128, 64, 2), *[(128, 64, 1)] * 4,
    (256, 128, 2), *[(256, 128, 1)] * 6,
    (512, 128, 2), *[(256, 128, 1)] * 2,
)  # fmt: skip
_SMALLEST = 7  # rows and columns of the last map, of which one weight each is learnt: the global depthwise convolution


class _Layer(nn.Module):
    """A convolution, and perhaps a PReLU. TensorFlow pads a stride of two below and on the right alone."""

    def __init__(
        self, inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1, bent: bool = True
    ) -> None:
        super().__init__()
        self._uneven = stride == 2
        padding = 0 if self._uneven or size == _SMALLEST else size // 2
        self.convolution = nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups)
        self.slopes = nn.PReLU(outputs) if bent else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.convolution(functional.pad(x, (0, 1, 0, 1)) if self._uneven else x)
        return x if self.slopes is None else self.slopes(x)


class _Block(nn.Module):
    def __init__(self, inputs: int, inner: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            _Layer(inputs, inner, 1),
            _Layer(inner, inner, 3, stride, groups=inner),
            _Layer(inner, outputs, 1, bent=False),
        )
        self._added = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x) if self._added else self.layers(x)


class MobileFaceNetModule(nn.Module):
    """float (n, 3, 112, 112), RGB, -1 to 1 -> (n, 192), not normalised."""

    def __init__(self) -> None:
        super().__init__()
        first = [_Layer(3, 64, 3, 2), _Layer(64, 64, 3, groups=64), _Layer(64, 64, 1, bent=False)]
        blocks, channels = [], 64
        for inner, outputs, stride in _BLOCKS:
            blocks.append(_Block(channels, inner, outputs, stride))
            channels = outputs
        last = [
            _Layer(channels, 512, 1),
            _Layer(512, 512, _SMALLEST, groups=512, bent=False),
            _Layer(512, 512, 1, bent=False),
            _Layer(512, 192, 1, bent=False),
        ]
        self.layers = nn.Sequential(*first, *blocks, *last)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x).flatten(1)


def read_tflite(content: bytes) -> Tensors:
    """The tensors of the file by the names of `MobileFaceNetModule`.

    Raises:
        ValueError: the file holds other layers.
    """
    module = MobileFaceNetModule()
    layers = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, _Layer)]
    found = list(_layers_of(content))
    if len(found) != len(layers):
        raise ValueError(f"{len(found)} convolutions; MobileFaceNet has {len(layers)}")
    tensors: Tensors = {}
    for (name, layer), (weight, bias, slopes) in zip(layers, found, strict=True):
        arrays = {"convolution.weight": weight, "convolution.bias": bias, "slopes.weight": slopes}
        expected = layer.state_dict()
        if {part: array.shape for part, array in arrays.items() if array is not None} != {
            part: tuple(value.shape) for part, value in expected.items()
        }:
            raise ValueError(f"a convolution of {weight.shape} in the place of MobileFaceNet's layer {name}")
        tensors |= {f"{name}.{part}": torch.from_numpy(array) for part, array in arrays.items() if array is not None}
    return tensors


def _layers_of(content: bytes) -> Iterator[tuple[Array, Array, Array | None]]:
    """Weight, bias and slopes of each convolution, in the order of the file."""
    weight = bias = slopes = None
    for kind, constant in _steps(content):
        if kind in ("Convolution", "GroupConvolution"):
            if weight is not None and bias is not None:
                yield weight, bias, slopes
            # Of a depthwise convolution: (channels, 1, 1, rows, columns).
            weight, bias, slopes = constant.reshape(len(constant), *constant.shape[-3:]), None, None
        elif kind == "Add" and bias is None:
            bias = constant.reshape(-1)
        elif kind == "Multiply":
            slopes = 2 * constant.reshape(-1)  # relu(x) + a (x - |x|): below zero, 2 a x
    if weight is not None and bias is not None:
        yield weight, bias, slopes


def _steps(content: bytes) -> Iterator[tuple[str, Array]]:
    """The operations of a file that take a constant, by their kinds, with a copy of the constant."""
    import openvino

    with tempfile.TemporaryDirectory() as folder:  # OpenVINO knows the format by the file's name
        path = Path(folder) / "network.tflite"
        path.write_bytes(content)
        model = openvino.Core().read_model(path)
        for node in model.get_ordered_ops():
            for source in node.input_values():
                if source.get_node().get_type_name() == "Constant":
                    yield node.get_type_name(), np.array(source.get_node().get_data(), np.float32)
