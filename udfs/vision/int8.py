"""A network's convolutions in 8-bit integers: post-training quantisation with fixed ranges.

The inputs of each convolution are rounded to 256 steps of a range that was measured once and is part of the
contract, its weights to 255 steps an output channel (Jacob et al. 2018, "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference"). Sums of products are exact in int32; everything
between convolutions stays in floating point.

A GPU, and a CPU that cannot multiply such integers, compute with the same rounded numbers in floating point: the same
vectors but for the last bits, and not quicker than without rounding.
"""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino
    import torch

Array = np.ndarray
Ranges = dict[str, tuple[float, float]]
"""The smallest and the largest input of each convolution, by the name of its module."""

_TRACED = "__module.network."


def ranges_of(name: str) -> Ranges:
    """The ranges that were measured for a network; see `benchmarks/int8.py`."""
    document = json.loads(files("udfs.vision").joinpath(f"{name}-int8.json").read_text(encoding="utf-8"))
    return {module: (low, high) for module, (low, high) in document.items()}


def has_int8(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU multiplies 8-bit integers without overflow (VNNI or AMX).

    Those before it saturate sums of two products at 16 bits, and would give other results in integers.
    """
    if not cpuinfo.exists():
        return False
    return not {"avx512_vnni", "avx_vnni", "amx_int8"}.isdisjoint(cpuinfo.read_text(encoding="utf-8").split())


def quantised(model: "openvino.Model", ranges: Ranges, integers: bool) -> "openvino.Model":
    """The model with its convolutions in 8 bits.

    integers: OpenVINO computes in integers what stands between two roundings; else in floating point.

    Raises:
        KeyError: a convolution of whole channels that the ranges do not name. Depthwise ones stay as they are: with
            so few products a sum, they are not quicker in integers, and lose more.
    """
    from openvino import opset13 as ops

    round_inputs = _rounded if integers else _rounded_in_float
    inputs: dict[tuple[str, int], openvino.Node] = {}  # branches that share an input share its rounding
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Convolution":
            continue
        source, weights = node.input_value(0), node.input_value(1)
        key = (source.get_node().get_friendly_name(), source.get_index())
        if key not in inputs:
            inputs[key] = round_inputs(ops, source, *_steps(*ranges[_module(node)]))
        node.input(0).replace_source_output(inputs[key].output(0))
        values = weights.get_node().get_data()
        rounded = _rounded(ops, weights, *_weight_steps(values)) if integers else ops.constant(_rounded_weights(values))
        node.input(1).replace_source_output(rounded.output(0))
    model.validate_nodes_and_infer_types()
    return model


def quantise(module: "torch.nn.Module", ranges: Ranges) -> "torch.nn.Module":
    """The same for a torch module, in floating point; returns the module.

    Raises:
        KeyError: as of `quantised`.
    """
    import torch

    def round_input(low: float, step: float, steps: int) -> Callable[[object, tuple[torch.Tensor, ...]], torch.Tensor]:
        zero = round(-low / step)
        return lambda _, inputs: torch.fake_quantize_per_tensor_affine(inputs[0].float(), step, zero, 0, steps - 1).to(
            inputs[0].dtype
        )

    for name, layer in module.named_modules():
        if isinstance(layer, torch.nn.Conv2d) and layer.groups == 1:
            low, high, levels = (
                value.item() if isinstance(value, np.ndarray) else value for value in _steps(*ranges[name])
            )
            layer.register_forward_pre_hook(round_input(low, (high - low) / (levels - 1), levels))
            layer.weight.data = torch.from_numpy(_rounded_weights(layer.weight.detach().numpy()))
    return module


def _module(node: "openvino.Node") -> str:
    return str(node.get_friendly_name()).partition("/")[0].removeprefix(_TRACED)


def _steps(low: float, high: float) -> tuple[Array, Array, int]:
    """Zero is one of the steps: what is behind a ReLU has 256 from zero on, the rest 256 around it."""
    if low >= 0:
        return np.zeros((1, 1, 1, 1)), np.full((1, 1, 1, 1), high), 256
    reach = np.full((1, 1, 1, 1), max(-low, high))
    return -reach * 128 / 127, reach, 256


def _weight_steps(weights: Array) -> tuple[Array, Array, int]:
    """255 around zero, for each channel that comes out."""
    largest = np.abs(weights).max((1, 2, 3), keepdims=True)
    largest = np.maximum(largest, np.finfo(np.float32).tiny)  # a channel of zeros
    return -largest, largest, 255


def _rounded_weights(weights: Array) -> Array:
    _, largest, levels = _weight_steps(weights.astype(np.float64))
    step = 2 * largest / (levels - 1)
    return (np.round(weights / step) * step).astype(np.float32)


def _rounded(ops: ModuleType, source: "openvino.Output", low: Array, high: Array, levels: int) -> "openvino.Node":
    bounds = [ops.constant(bound.astype(np.float32)) for bound in (low, high, low, high)]
    return ops.fake_quantize(source, *bounds, levels)


def _rounded_in_float(
    ops: ModuleType, source: "openvino.Output", low: Array, high: Array, levels: int
) -> "openvino.Node":
    """As `_rounded`, step by step, so that OpenVINO does not take it for integers."""
    step = ops.constant(((high - low) / (levels - 1)).astype(np.float32))
    bounded = ops.minimum(
        ops.maximum(source, ops.constant(low.astype(np.float32))), ops.constant(high.astype(np.float32))
    )
    return ops.multiply(ops.round(ops.divide(bounded, step)), step)
