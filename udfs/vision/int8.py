"""A network's convolutions in 8-bit integers: post-training quantisation with fixed ranges.

The inputs of each convolution are rounded to 256 steps of a range that was measured once and is part of the
contract, its weights to 255 steps an output channel (Jacob et al. 2018, "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference"). Sums of products are exact in int32; everything
between convolutions stays in floating point.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import openvino

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

    Those before it saturate sums of two products at 16 bits, and would give other results.
    """
    if not cpuinfo.exists():
        return False
    return not {"avx512_vnni", "avx_vnni", "amx_int8"}.isdisjoint(cpuinfo.read_text(encoding="utf-8").split())


def quantised(model: "openvino.Model", ranges: Ranges) -> "openvino.Model":
    """The model, its convolutions in 8 bits; OpenVINO computes in integers what stands between two roundings.

    Raises:
        KeyError: a convolution that the ranges do not name.
    """
    from openvino import opset13 as ops

    inputs: dict[tuple[str, int], openvino.Node] = {}  # branches that share an input share its rounding
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Convolution":
            continue
        source, weights = node.input_value(0), node.input_value(1)
        key = (source.get_node().get_friendly_name(), source.get_index())
        if key not in inputs:
            inputs[key] = _rounded(ops, source, *_steps(*ranges[_module(node)]))
        node.input(0).replace_source_output(inputs[key].output(0))
        largest = np.abs(weights.get_node().get_data()).max((1, 2, 3), keepdims=True)
        largest = np.maximum(largest, np.finfo(np.float32).tiny)  # a channel of zeros
        node.input(1).replace_source_output(_rounded(ops, weights, -largest, largest, 255).output(0))
    model.validate_nodes_and_infer_types()
    return model


def _module(node: "openvino.Node") -> str:
    return str(node.get_friendly_name()).partition("/")[0].removeprefix(_TRACED)


def _steps(low: float, high: float) -> tuple[Array, Array, int]:
    """Zero is one of the steps: what is behind a ReLU has 256 from zero on, the rest 256 around it."""
    if low >= 0:
        return np.zeros((1, 1, 1, 1)), np.full((1, 1, 1, 1), high), 256
    reach = np.full((1, 1, 1, 1), max(-low, high))
    return -reach * 128 / 127, reach, 256


def _rounded(ops: object, source: "openvino.Output", low: Array, high: Array, levels: int) -> "openvino.Node":
    bounds = [ops.constant(bound.astype(np.float32)) for bound in (low, high, low, high)]  # type: ignore[attr-defined]
    return ops.fake_quantize(source, *bounds, levels)  # type: ignore[attr-defined]
