"""Files of models that are programs, point elsewhere, or claim more than they have."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import onnx
import pytest
import torch
from onnx import TensorProto

from tests.onnx_files import SIDE, graph
from udfs.errors import InputError
from udfs.lake import read_anything
from udfs.vision import facenet_net, mtcnn, weights
from udfs.vision.onnx_inspection import layout_of, read_new


class Program:
    """What a pickle may do when it is read: run a program."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self._trace}",)


def plain(trace: Path) -> bytes:
    return pickle.dumps(Program(trace))


def saved_by_torch(trace: Path) -> bytes:
    content = io.BytesIO()
    torch.save({"conv2d_1a.conv.weight": Program(trace)}, content)
    return content.getvalue()


def in_the_old_form(trace: Path) -> bytes:
    content = io.BytesIO()
    torch.save({"weight": Program(trace)}, content, _use_new_zipfile_serialization=False)
    return content.getvalue()


def beside_another_name(trace: Path) -> bytes:
    """A zip, as torch writes it, whose pickle is another."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", plain(trace))
        archive.writestr("archive/version", "3\n")
        archive.writestr("../../escaped", "x")
    return content.getvalue()


PICKLES = [plain, saved_by_torch, in_the_old_form, beside_another_name]


@pytest.mark.parametrize("name", ["facenet-vggface2", "dlib-resnet-v1", "mobilefacenet", "centerface"])
@pytest.mark.parametrize("make", PICKLES)
def test_pickles_run_nothing(tmp_path: Path, make: object, name: str) -> None:
    assert callable(make)
    file, trace = tmp_path / "weights", tmp_path / "trace"
    file.write_bytes(make(trace))
    with pytest.raises(InputError, match=f"weights: not a weights file of '{name}'"):
        weights.load(name, str(file))
    assert not trace.exists()
    assert not (tmp_path.parent.parent / "escaped").exists()


@pytest.mark.parametrize("module", [facenet_net, mtcnn])
def test_torch_is_told_to_read_tensors_alone(module: object) -> None:
    source = Path(str(module.__file__)).read_text("utf-8")  # type: ignore[attr-defined]
    assert source.count("torch.load(") == source.count("weights_only=True") == 1


@pytest.mark.parametrize("place", ["/etc/passwd", "../../../etc/passwd", "s3://elsewhere/weights", "weights.bin", ""])
def test_onnx_weights_elsewhere_are_not_opened(place: str) -> None:
    model = graph()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=place)
    with pytest.raises(InputError, match="its weights are in another file"):
        layout_of(model.SerializeToString(), "a.onnx", SIDE)


def test_onnx_weights_elsewhere_inside_an_operator() -> None:
    model = graph()
    constant = onnx.helper.make_node("Constant", [], ["c"], value=onnx.helper.make_tensor("t", 1, [1], [0.0]))
    constant.attribute[0].t.ClearField("float_data")
    constant.attribute[0].t.data_location = TensorProto.EXTERNAL
    constant.attribute[0].t.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(constant)
    with pytest.raises(InputError, match=r"in another file \(/etc/passwd\)"):
        layout_of(model.SerializeToString(), "a.onnx", SIDE)


@pytest.mark.parametrize(
    "content",
    [b"\x3a\xff\xff\xff\xff\x0f", b"\x3a" + b"\xff" * 9 + b"\x01", b"\x80" * 64, b"\xff" * 64, b"", b"PK\x03\x04"],
    ids=["graph of 4 GB", "graph of 2^64", "tag without end", "ones", "nothing", "zip"],
)
def test_what_an_onnx_file_claims_is_not_reserved(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises(InputError, match=r"a.onnx: (not an ONNX file|one of its parts claims)"):
        read_new(str(tmp_path / "a.onnx"))


def test_an_onnx_file_of_a_terabyte_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.onnx").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(InputError, match=r"has 1000.0 GB, and an ONNX file can have 2 GB at most"):
        read_new(str(tmp_path / "a.onnx"))


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/null"])
def test_a_device_is_no_file_of_weights(tmp_path: Path, device: str) -> None:
    (tmp_path / "weights").symlink_to(device)
    with pytest.raises(InputError, match="is a device; name a file"):
        weights.load("dlib-resnet-v1", str(tmp_path / "weights"))


def test_a_file_with_holes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "settings.toml").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(InputError, match=r"has 1,000.0 GB, and up to 4.3 are read"):
        read_anything(str(tmp_path / "settings.toml"))
