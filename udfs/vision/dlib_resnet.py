"""dlib's face recognition network, `dlib_face_recognition_resnet_model_v1`, in plain torch.

The architecture is that of dlib's `dnn_face_recognition_ex.cpp` (Davis King, 2017): a ResNet of 29
convolutions with half the filters of ResNet-34, 5,614,592 parameters, CC0.
"""

import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from udfs.errors import InputError
from udfs.vision.tensors import Tensors

# (filters, stride) of the residual blocks, from input to output.
_BLOCKS = [
    (32, 1), (32, 1), (32, 1),
    (64, 2), (64, 1), (64, 1), (64, 1),
    (128, 2), (128, 1), (128, 1),
    (256, 2), (256, 1), (256, 1),
    (256, 2),
]  # fmt: skip


class _ConvolutionAffine(nn.Module):
    """A convolution, then one factor and one offset a channel (a batch normalisation at rest)."""

    def __init__(self, inputs: int, filters: int, size: int, stride: int) -> None:
        super().__init__()
        padding = 0 if stride > 1 else size // 2
        self.convolution = nn.Conv2d(inputs, filters, size, stride, padding)
        self.gamma = nn.Parameter(torch.ones(filters))
        self.beta = nn.Parameter(torch.zeros(filters))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.convolution(x) * self.gamma[:, None, None] + self.beta[:, None, None]


class _Residual(nn.Module):
    def __init__(self, inputs: int, filters: int, stride: int) -> None:
        super().__init__()
        self.first = _ConvolutionAffine(inputs, filters, 3, stride)
        self.second = _ConvolutionAffine(filters, filters, 3, 1)
        self.stride = stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(functional.relu(self.first(x)))
        skip = functional.avg_pool2d(x, 2, 2) if self.stride == 2 else x
        return functional.relu(_add_padded(y, skip))


def _add_padded(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The sum of two maps, each filled with zeros below, right and in channels to the larger shape."""
    shape = [max(m, n) for m, n in zip(a.shape[1:], b.shape[1:], strict=True)]
    return _pad(a, shape) + _pad(b, shape)


def _pad(x: torch.Tensor, shape: list[int]) -> torch.Tensor:
    channels, rows, columns = (want - have for want, have in zip(shape, x.shape[1:], strict=True))
    return functional.pad(x, (0, columns, 0, rows, 0, channels))


class DlibResNet(nn.Module):
    """(n, 3, 150, 150), RGB 0..255 as float -> (n, 128), not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _ConvolutionAffine(3, 32, 7, 2)
        inputs = [32] + [filters for filters, _ in _BLOCKS]
        self.blocks = nn.ModuleList(
            _Residual(before, filters, stride) for before, (filters, stride) in zip(inputs, _BLOCKS, strict=False)
        )
        self.fc = nn.Linear(256, 128, bias=False)
        self.mean: torch.Tensor
        self.register_buffer("mean", torch.tensor([122.782, 117.001, 104.298])[:, None, None], persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.stem((x - self.mean) / 256))
        x = functional.max_pool2d(x, 3, 2)
        for block in self.blocks:
            x = block(x)
        return self.fc(x.mean(dim=(2, 3)))


def read_dat(content: bytes) -> Tensors:
    """The tensors of dlib's `.dat` file under the names of `DlibResNet.state_dict()`.

    The file lists its layers from input to output: 29 times a convolution (filters, then biases) and its
    affine layer (factors, then offsets), then the fully connected layer. Each tensor is five dlib integers
    (2, n, k, rows, columns) followed by little-endian float32; what is between them is not needed.

    Raises:
        InputError: the file does not hold these tensors in this order.
    """
    state: Tensors = {}
    at = 0
    with torch.device("meta"):
        network = DlibResNet()
    for name, module in network.named_modules():
        if isinstance(module, _ConvolutionAffine):
            shape = module.convolution.weight.shape
            values, at = _tensor(content, at, (shape.numel() + shape[0], 1, 1, 1))
            state[f"{name}.convolution.weight"] = values[: shape.numel()].reshape(shape)
            state[f"{name}.convolution.bias"] = values[shape.numel() :]
            affine, at = _tensor(content, at, (2 * shape[0], 1, 1, 1))
            state[f"{name}.gamma"], state[f"{name}.beta"] = affine[: shape[0]], affine[shape[0] :]
    fc, _ = _tensor(content, at, (256, 128, 1, 1))
    state["fc.weight"] = fc.reshape(256, 128).T.contiguous()
    return state


def _tensor(content: bytes, start: int, shape: tuple[int, int, int, int]) -> tuple[torch.Tensor, int]:
    header = b"".join(map(_dlib_integer, (2, *shape)))
    count = int(np.prod(shape))
    at = content.find(header, start)
    end = at + len(header) + 4 * count
    if at < 0 or end > len(content):
        raise InputError(f"no tensor of shape {shape} after byte {start}")
    values = np.frombuffer(content, "<f4", count, at + len(header))
    return torch.from_numpy(values.copy()), end


def _dlib_integer(value: int) -> bytes:
    """dlib's form of a small positive integer: how many bytes follow, then those, least significant first."""
    digits = struct.pack("<Q", value).rstrip(b"\0")
    return bytes([len(digits)]) + digits
