"""ONNX files that are no embedders are refused in one line that says what to do, before anything is computed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto

from tests.onnx_files import SIDE, graph, node
from udfs import lake
from udfs.errors import InputError
from udfs.lake import File
from udfs.vision import onnx_inspection
from udfs.vision.onnx_inspection import layout_of, read_new

WHOLE = graph().SerializeToString()


def claim(size: int) -> bytes:
    """A graph (field 7) that says it has so many bytes, and has a few."""
    length = bytearray()
    while size >= 0x80:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes([0x08, 8, 0x3A]) + bytes(length) + bytes([size]) + b"a few"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (WHOLE[:-200], "the file ends .* bytes later; it is cut off or damaged"),
        (claim(5_000_000_000), "claims 5,000,000,000 bytes, and the file ends 5 bytes later"),
        (WHOLE + b"\x3a", "not an ONNX file"),
        (b"", "not an ONNX file"),
        (b"just words", "not an ONNX file"),
        (b"PK\x03\x04 as torch.save writes it", "not an ONNX file"),
        (b"\x80" * 40, "not an ONNX file"),
        (b"\x08\x08", "not an ONNX file"),
    ],
    ids=["cut off", "5 GB", "half a field", "empty", "words", "zip", "endless number", "no graph"],
)
def test_damaged_files(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(InputError, match=f"a.onnx: .*{said}"):
        read_new(str(tmp_path / "a.onnx"))


def test_damage_inside() -> None:
    """The outermost message is whole, and what is in it is not."""
    content = bytes([0x3A, 4]) + b"\xff\xff\xff\xff"
    with pytest.raises(InputError, match="not an ONNX file, or a damaged one"):
        layout_of(content, "a.onnx", SIDE)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lake, "find", lambda uri: File(uri, 5_000_000_000, 0))
    with pytest.raises(InputError, match=r"has 5\.0 GB, and an ONNX file can have 2 GB at most"):
        read_new(str(tmp_path / "there is none.onnx"))


def test_a_file_that_is_absent(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none.onnx: cannot be read"):
        read_new(str(tmp_path / "none.onnx"))


def elsewhere() -> ModelProto:
    model = graph()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    return model


def newer_format() -> ModelProto:
    model = graph()
    model.ir_version = onnx.IR_VERSION + 1
    return model


def two_inputs() -> ModelProto:
    model = graph()
    model.graph.input.append(onnx.helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    return model


def inside_a_branch() -> ModelProto:
    """Random numbers in one branch of an If."""
    drawn = onnx.helper.make_graph(
        [node("RandomNormalLike", ["product"], "drawn")],
        "then",
        [],
        [onnx.helper.make_tensor_value_info("drawn", TensorProto.FLOAT, ["n", 32])],
    )
    return graph(node("If", ["yes"], then_branch=drawn, else_branch=drawn), constants={"yes": np.array(True)})


BOXES = [("boxes", ("n", 4)), ("scores", ("n", 1)), ("landmarks", ("n", 10))]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: graph(opset=99), r"uses version 99 of ONNX's operators \(opset\).*opset_version=17"),
        (newer_format, r"ONNX's file format \(IR\)"),
        (elsewhere, r"weights are in another file \(weights.bin\).*join them: python -c"),
        (lambda: graph(node("RandomNormalLike")), r"draws random numbers \(RandomNormalLike\).*module.eval\(\)"),
        (inside_a_branch, "draws random numbers"),
        (
            lambda: graph(
                node("Dropout", ["product", "rate", "active"]),
                constants={"rate": np.float32([0.5])[0], "active": np.array(True)},
            ),
            "exported in training mode",
        ),
        (lambda: graph(outputs=BOXES), r"has 3 outputs \(boxes, scores, landmarks\), as detectors have"),
        (lambda: graph(node("Softmax")), "a classifier and not an embedder .*Softmax"),
        (two_inputs, "has 2 inputs"),
        (lambda: graph(shape=("n", 1, SIDE, SIDE)), "takes n? ?.*x 1 x 56 x 56, and must take"),
        (lambda: graph(shape=("n", 3 * SIDE * SIDE)), "takes .* x 9408, and must take"),
        (lambda: graph(kind=TensorProto.DOUBLE), "takes DOUBLE, and must take FLOAT or FLOAT16"),
        (lambda: graph(shape=("n", 3, 112, 96)), "takes pictures of 96 x 112 pixels, and crops are square"),
        (lambda: graph(shape=("n", 3, 64, 64)), "takes pictures of 64 pixels, not of 56; add --side 64"),
    ],
    ids=[
        "newer operators", "newer format", "weights elsewhere", "random", "random in a branch", "training mode",
        "detector", "classifier", "two inputs", "grey", "flat", "double", "not square", "another side",
    ],
)  # fmt: skip
def test_no_embedders(make: Callable[[], ModelProto], said: str) -> None:
    with pytest.raises(InputError, match=f"^a.onnx: .*{said}") as refused:
        layout_of(make().SerializeToString(), "a.onnx", SIDE)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("shape", "layout"),
    [
        (("n", 3, SIDE, SIDE), "nchw"),
        ((1, 3, SIDE, SIDE), "nchw"),
        (("n", SIDE, SIDE, 3), "nhwc"),
        (("n", 3, "height", "width"), "nchw"),
    ],
)
def test_the_layout_is_found(shape: tuple[int | str, ...], layout: str) -> None:
    assert layout_of(graph(shape=shape).SerializeToString(), "a.onnx", SIDE) == layout


def test_dropout_at_rest_is_no_matter() -> None:
    assert layout_of(graph(node("Dropout")).SerializeToString(), "a.onnx", SIDE) == "nchw"


def test_what_protobuf_can_hold_is_the_limit() -> None:
    assert onnx_inspection.LARGEST == 2**31 - 1
