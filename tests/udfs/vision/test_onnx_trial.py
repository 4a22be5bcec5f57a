"""Networks that are run once, and then refused in one line that says what to do."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto

from tests.onnx_files import DIMENSION, SIDE, declared, graph, node, weights
from udfs.errors import InputError
from udfs.vision.onnx_network import onnx_network
from udfs.vision.onnx_trial import tried
from udfs.vision.own import OnnxDeclaration
from udfs.vision.spec import VisionSpec

BLANK = OnnxDeclaration("mine", "", "", "arcface", SIDE, (), "rgb", 127.5, 127.5, "nchw", 0, ())


def test_a_usable_network_is_declared_whole(tmp_path: Path) -> None:
    right = declared(tmp_path / "a.onnx")
    own = tried((tmp_path / "a.onnx").read_bytes(), replace(right, dimension=0, answer=()), "a.onnx")
    assert own == right
    onnx_network(own, VisionSpec())


def like_a_batch() -> ModelProto:
    """Each row is less the mean of the batch, as a batch normalisation in training has it."""
    return graph(
        node("ReduceMean", output="mean", axes=[0], keepdims=1),
        node("Sub", ["product", "mean"]),
    )


def overflowing() -> ModelProto:
    matrix = weights()
    matrix[0, 0] = np.inf
    return graph(matrix=matrix)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: graph(node("Reshape", ["product", "shape"]), constants={"shape": np.array([1, DIMENSION])}),
            "cannot compute it on 16 crops.*its batch may be fixed: export it with a dynamic one",
        ),
        (
            lambda: graph(node("Reshape", ["product", "shape"]), constants={"shape": np.array([1, -1])}),
            "its batch is fixed: of 16 crops it makes 1 x 512",
        ),
        (
            lambda: graph(node("Unsqueeze", ["product", "axes"]), constants={"axes": np.array([2])}),
            "makes 16 x 32 x 1 of 16 crops, and an embedder makes",
        ),
        (lambda: graph(matrix=weights()[:, :4]), "makes 16 x 4 of 16 crops"),
        (overflowing, "infinite values or no numbers, probably because float16 overflows"),
        (lambda: graph(matrix=weights() * 0), "vectors of zeros"),
        (
            lambda: graph(node("Exp", output="e"), node("ReduceSum", ["e", "axis"], "sum"), node("Div", ["e", "sum"]),
                          constants={"axis": np.array([1])}),
            "a classifier and not an embedder .*shares that sum to 1",
        ),
        (
            lambda: graph(node("RandomNormalLike", output="noise"), node("Add", ["product", "noise"])),
            "other vectors for the same crops each time",
        ),
        (like_a_batch, "depends on the other crops of the batch"),
        (
            lambda: graph(node("Add", ["product", "far"]), constants={"far": np.full(DIMENSION, 1e4, np.float32)}),
            "nearly the same vector for every picture .*--shift and --scale",
        ),
        (
            lambda: graph(node("Mystery", domain="my.operators")),
            "cannot read its file .No conversion rule found for operations: my.operators.Mystery.;",
        ),
    ],
    ids=["fixed batch", "fixed batch, merged", "rank", "too short", "overflow", "zeros", "classifier", "random",
         "batch statistics", "all alike", "unknown operator"],
)  # fmt: skip
def test_no_embedders(make: Callable[[], ModelProto], said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        tried(make().SerializeToString(), BLANK, "a.onnx")
    assert "\n" not in str(refused.value)
