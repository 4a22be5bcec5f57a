from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
import torch
from PIL import Image

from udfs.vision import weights
from udfs.vision.centerface import CenterFace
from udfs.vision.centerface_net import CenterFaceNet, read_onnx
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import put


@pytest.fixture(scope="module")
def detector(centerface_weights: Path) -> CenterFace:
    return CenterFace(VisionSpec(threads=2), weights.source("centerface"))


@pytest.fixture(scope="module")
def portrait(demo_photos: tuple[Path, Path]) -> np.ndarray:
    """A face about 46 pixels wide in 256 x 256."""
    (lake,) = demo_photos[0].iterdir()
    return np.asarray(Image.open(lake / "astronaut.png").convert("RGB").reduce(2))


def original(path: Path, pixels: np.ndarray) -> list[np.ndarray]:
    """The outputs of the file itself, by OpenVINO's own reader of ONNX."""
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape({"input.1": pixels.shape})
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled(pixels)
    return [found[output] for output in compiled.outputs]


def test_the_module_computes_what_the_onnx_file_says(centerface_weights: Path) -> None:
    module = CenterFaceNet()
    put(module, read_onnx(centerface_weights.read_bytes()))
    pixels = np.random.default_rng(1).uniform(0, 255, (1, 3, 64, 96)).astype(np.float32)
    with torch.inference_mode():
        features = module.eval()(torch.from_numpy(pixels))
        heat, *others = (output(features).numpy() for output in module.outputs)
    found = [1 / (1 + np.exp(-heat)), *others]
    wanted = original(centerface_weights, pixels)
    for ours, theirs in zip(found, wanted, strict=True):
        assert np.abs(ours - theirs).max() < 1e-3


def test_a_file_of_other_layers_is_none_of_its_own(tmp_path: Path) -> None:
    other = onnx.helper.make_model(onnx.helper.make_graph([], "g", [], []))
    with pytest.raises(ValueError, match="0 layers"):
        read_onnx(other.SerializeToString())


def test_a_face_and_its_landmarks(detector: CenterFace, portrait: np.ndarray) -> None:
    ((face,),) = detector.detect(portrait[None])
    left, top, right, bottom = face.box
    eye, other, nose, mouth, corner = face.landmarks
    assert 40 < right - left < 55
    assert left < eye[0] < nose[0] < other[0] < right
    assert top < eye[1] < nose[1] < mouth[1] < bottom
    assert mouth[0] < corner[0]


def test_what_else_is_in_the_batch_changes_nothing(detector: CenterFace, portrait: np.ndarray) -> None:
    noise = np.random.default_rng(2).integers(0, 256, portrait.shape, np.uint8)
    black = np.zeros_like(portrait)
    first = detector.detect(np.stack([portrait, black, noise, black]))
    last = detector.detect(np.stack([noise, black, black, portrait]))
    assert [len(faces) for faces in first] == [1, 0, 0, 0]
    assert first[0][0].box.tobytes() == last[3][0].box.tobytes()
    assert first[0][0].landmarks.tobytes() == last[3][0].landmarks.tobytes()


def test_smaller_faces_than_wanted_are_left_out(centerface_weights: Path, portrait: np.ndarray) -> None:
    """`minimum_face` counts in the picture, which is looked at on a smaller scale."""
    for minimum, count in ((80, 1), (130, 0)):
        detector = CenterFace(VisionSpec(minimum_face=minimum), weights.source("centerface"))
        assert detector.scale == 20 / minimum
        side = 32 * round(256 * 2 * detector.scale / 32)  # the portrait twice as large, and looked at so
        view = np.asarray(Image.fromarray(portrait).resize((side, side)))
        assert len(detector.detect(view[None])[0]) == count
