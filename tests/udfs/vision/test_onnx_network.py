"""Networks of one's own, as workers run them."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.onnx_files import SIDE, declared, graph, weights
from udfs.errors import InputError
from udfs.vision import known_answer, own_file
from udfs.vision.embed import UnitVectors
from udfs.vision.onnx_network import of_content, onnx_network
from udfs.vision.spec import VisionSpec

SPEC = VisionSpec(embedder="mine")
PIXELS = np.random.default_rng(1).integers(0, 256, (16, SIDE, SIDE, 3), np.uint8)


def by_hand(pixels: np.ndarray, shift: float, scale: float) -> np.ndarray:
    """The vectors of the small network, in float64."""
    cell = SIDE // 7
    seen = (pixels.astype(np.float64) - shift) / scale
    cells = seen.reshape(len(pixels), 7, cell, 7, cell, 3).mean((2, 4)).transpose(0, 3, 1, 2)
    return cells.reshape(len(pixels), -1) @ weights()


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.FLOAT16], ids=["float32", "float16"])
@pytest.mark.parametrize("colour", ["rgb", "bgr"])
def test_it_sees_what_is_declared(tmp_path: Path, layout: str, kind: int, colour: str) -> None:
    shape = ("n", 3, SIDE, SIDE) if layout == "nchw" else ("n", SIDE, SIDE, 3)
    own = declared(tmp_path / "a.onnx", graph(shape=shape, kind=kind), layout=layout, colour=colour, shift=100.0)
    (found,) = onnx_network(own, SPEC)(PIXELS)
    wanted = by_hand(PIXELS if colour == "rgb" else PIXELS[..., ::-1], 100.0, 127.5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=2e-3 if kind == TensorProto.FLOAT16 else 1e-4)


def test_a_batch_that_the_file_fixes_is_made_another(tmp_path: Path) -> None:
    own = declared(tmp_path / "a.onnx", graph(shape=(1, 3, SIDE, SIDE), outputs=[("vector", (1, 32))]))
    for batch in (4, 16):
        assert len(onnx_network(own, replace(SPEC, batch_size=batch))(PIXELS[:batch])[0]) == batch


def test_a_face_has_the_same_bits_whatever_its_neighbours(tmp_path: Path) -> None:
    vectors = UnitVectors(onnx_network(declared(tmp_path / "a.onnx"), SPEC), SPEC)
    together, alone = vectors(list(PIXELS)), vectors([PIXELS[9]])
    assert together[9].tobytes() == alone[0].tobytes()


def test_another_file_is_refused(tmp_path: Path) -> None:
    own = declared(tmp_path / "a.onnx")
    (tmp_path / "a.onnx").write_bytes(graph(matrix=weights() * 2).SerializeToString())
    with pytest.raises(InputError, match=r"a.onnx: not the file that \[models.mine\] declares.*models add"):
        onnx_network(own, SPEC)
    (tmp_path / "a.onnx").unlink()
    with pytest.raises(InputError, match=r"a.onnx: cannot be read"):
        onnx_network(own, SPEC)


def test_a_copy_may_be_named(tmp_path: Path) -> None:
    own = declared(tmp_path / "a.onnx")
    (tmp_path / "a.onnx").rename(tmp_path / "b.onnx")
    assert len(onnx_network(own, replace(SPEC, weights=(("mine", str(tmp_path / "b.onnx")),)))(PIXELS)[0]) == 16


@pytest.mark.parametrize("change", [{"colour": "bgr"}, {"shift": 0.0, "scale": 1.0}, {"answer": (0.5,) * 16}])
def test_another_answer_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    own = declared(tmp_path / "a.onnx")
    with pytest.raises(InputError, match=r"mine does not give its known answer.*\[models.mine\]"):
        onnx_network(replace(own, **change), SPEC)


def test_the_answer_is_the_same_in_bf16(tmp_path: Path) -> None:
    from udfs.vision.runtime import cpu_precisions

    if "bf16" not in cpu_precisions():
        pytest.skip("this CPU does not compute in bf16")
    onnx_network(declared(tmp_path / "a.onnx"), replace(SPEC, precision="bf16"))


def test_the_question_is_always_the_same() -> None:
    """Else every declared answer would be wrong."""
    asked = known_answer.question(112)
    assert (asked.shape, asked.dtype) == ((112, 112, 3), np.uint8)
    assert own_file.digest(asked.tobytes()).startswith("71dde374c3857be7")


def test_a_worker_needs_neither_torch_nor_onnx(tmp_path: Path) -> None:
    own = declared(tmp_path / "a.onnx")
    script = (
        "import sys; from udfs.vision.own import OnnxDeclaration; from udfs.vision.spec import VisionSpec\n"
        "from udfs.vision.onnx_network import onnx_network\n"
        f"onnx_network({own!r}, VisionSpec())\n"
        "print([name for name in ('torch', 'onnx', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


class Session:
    """Stands for ONNX Runtime's: averages what it is given, as its providers are."""

    def __init__(self, content: bytes, providers: list[tuple[str, dict[str, int]]]) -> None:
        self.asked = providers

    def get_providers(self) -> list[str]:
        return [name for name, _ in self.asked]

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="pixels", type="tensor(float)", shape=[16, 3, SIDE, SIDE])]

    def run(self, outputs: None, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        assert given["pixels"].dtype == np.float32
        return [given["pixels"].mean((2, 3))]


class OnCpu(Session):
    """One that fell back."""

    def get_providers(self) -> list[str]:
        return ["CPUExecutionProvider"]


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module: Any = ModuleType("onnxruntime")
    module.get_available_providers = lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    module.InferenceSession = Session
    module.preload_dlls = lambda: None
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
    return module


def test_a_gpu_sees_the_same(tmp_path: Path, runtime: ModuleType) -> None:
    own = declared(tmp_path / "a.onnx", colour="bgr")
    (found,) = of_content(b"", own, replace(SPEC, device="cuda:1"))(PIXELS)
    wanted = (PIXELS[..., ::-1].astype(np.float64) - 127.5) / 127.5
    np.testing.assert_allclose(found, wanted.mean((1, 2)), atol=1e-5)


def test_what_a_gpu_needs_is_said(tmp_path: Path, runtime: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    own, spec = declared(tmp_path / "a.onnx"), replace(SPEC, device="cuda")
    with pytest.raises(InputError, match=r"vision.precision is bf16.*set vision.precision to fp32"):
        onnx_network(own, replace(spec, precision="bf16"))
    with pytest.raises(InputError, match=r"its file fixes the batch at 16, and vision.batch_size is 32"):
        onnx_network(own, replace(spec, batch_size=32))
    runtime.InferenceSession = OnCpu
    with pytest.raises(InputError, match="ONNX Runtime cannot use a GPU here"):
        onnx_network(own, spec)
    runtime.get_available_providers = lambda: ["CPUExecutionProvider"]
    with pytest.raises(InputError, match="replace it with onnxruntime-gpu"):
        onnx_network(own, spec)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"not installed here; run pip install 'onnxruntime-gpu\[cuda,cudnn\]'"):
        onnx_network(own, spec)
