"""Small ONNX files: an embedder, and files that are none."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from udfs.vision import known_answer
from udfs.vision.onnx_network import of_content
from udfs.vision.own import OnnxDeclaration
from udfs.vision.spec import VisionSpec

SIDE, DIMENSION = 56, 32
CELLS = 7  # rows and columns that a picture is averaged to

Array = np.ndarray


def weights(channels: Sequence[float] = (1, 1, 1)) -> Array:
    """How a vector follows from the averages of a picture, whose channels count so much: (3 * 7 * 7, 32)."""
    drawn = np.random.default_rng(0).normal(size=(3, CELLS * CELLS, DIMENSION))
    return (drawn * np.array(channels)[:, None, None]).reshape(-1, DIMENSION).astype(np.float32)


def node(kind: str, inputs: Sequence[str] = ("product",), output: str = "vector", **attributes: Any) -> NodeProto:
    """A node, by default the last one."""
    return helper.make_node(kind, list(inputs), [output], **attributes)


def graph(
    *last: NodeProto,
    matrix: Array | None = None,
    shape: Sequence[int | str] = ("n", 3, SIDE, SIDE),
    kind: int = TensorProto.FLOAT,
    outputs: Sequence[tuple[str, Sequence[int | str]]] = (("vector", ("n", DIMENSION)),),
    constants: dict[str, Array] | None = None,
    opset: int = 17,
) -> ModelProto:
    """A network that averages the cells of a picture and multiplies them with a matrix.

    last: nodes that make the outputs of `product`; without any, that is the output.
    """
    cell = SIDE // CELLS
    turned = {"perm": [0, 3, 1, 2]} if shape[-1] == 3 else {}
    nodes = [
        node("Transpose" if turned else "Identity", ["pixels"], "seen", **turned),
        node("AveragePool", ["seen"], "cells", kernel_shape=[cell, cell], strides=[cell, cell]),
        node("Flatten", ["cells"], "flat"),
        node("MatMul", ["flat", "matrix"], "product"),
        *(last or [node("Identity")]),
    ]
    numeric = np.float16 if kind == TensorProto.FLOAT16 else np.float32
    tensors = {"matrix": (weights() if matrix is None else matrix).astype(numeric), **(constants or {})}
    made = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("pixels", kind, shape)],
        [helper.make_tensor_value_info(name, kind, size) for name, size in outputs],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 8
    return model


def declared(path: Path, model: ModelProto | None = None, **changes: Any) -> OnnxDeclaration:
    """Write a network to a file, and declare it rightly, but for the changes."""
    content = (graph() if model is None else model).SerializeToString()
    path.write_bytes(content)
    own = OnnxDeclaration(
        name="mine",
        file=str(path),
        sha256=hashlib.sha256(content).hexdigest(),
        crop="arcface",
        side=SIDE,
        margins=(),
        colour="rgb",
        shift=127.5,
        scale=127.5,
        layout="nchw",
        dimension=DIMENSION,
        answer=(),
    )
    own = replace(own, **changes)
    return replace(own, answer=known_answer.answer(of_content(content, own, VisionSpec()), own.side, 16))
