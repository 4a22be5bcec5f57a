from pathlib import Path

import numpy as np
import onnx
import openvino
import pytest
import torch
from PIL import Image

from udfs.vision import weights
from udfs.vision.centerface import CenterFace, CenterFaceTwice
from udfs.vision.centerface_net import CenterFaceNet, read_onnx
from udfs.vision.detect import Detection, Detector, second_looks
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


@pytest.fixture(scope="module")
def twice(centerface_weights: Path) -> CenterFaceTwice:
    return CenterFaceTwice(VisionSpec(threads=2), weights.source("centerface"))


def seen_in(detector: Detector, picture: Image.Image) -> list[Detection]:
    """As the stream has it: the detector sees a reduced view, and looks again at the whole picture."""
    view = picture.resize((round(picture.width * detector.scale), round(picture.height * detector.scale)))
    canvas = np.zeros((1, *detector.canvas(*view.size), 3), np.uint8)
    canvas[0, : view.height, : view.width] = np.asarray(view)
    return second_looks(detector, picture, detector.detect(canvas)[0], view.size)


def test_a_small_face_that_is_not_certain_is_looked_at_again(twice: CenterFaceTwice, portrait: np.ndarray) -> None:
    """A face near the smallest size that has faded until one look no longer finds it."""
    picture = Image.new("RGB", (320, 224))
    picture.paste(Image.fromarray(portrait).resize((200, 200)), (40, 0))
    faded = Image.blend(picture, Image.new("RGB", picture.size, (128, 128, 128)), 0.9)
    (found,) = seen_in(twice, faded)
    (clear,) = seen_in(twice, picture)
    assert found.score > 0.6
    np.testing.assert_allclose(found.box, clear.box, atol=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(twice, "doubts", lambda face: False)
        (doubted,) = seen_in(twice, faded)
    assert doubted.score < CenterFace.score


def test_noise_that_is_taken_for_a_face_is_found_out(twice: CenterFaceTwice) -> None:
    """A box that nothing stands behind."""
    picture = Image.fromarray(np.random.default_rng(3).integers(0, 256, (224, 320, 3), np.uint8))
    made_up = Detection(np.array([50.0, 40, 72, 66]), np.zeros((5, 2)), 0.5)
    assert twice.doubts(made_up)
    assert second_looks(twice, picture, [made_up], (160, 112)) == []


@pytest.mark.parametrize("corner", [(0.0, 0.0), (140.0, 90.0)])
def test_second_looks_reach_beyond_the_picture(twice: CenterFaceTwice, corner: tuple[float, float]) -> None:
    picture = Image.new("RGB", (320, 224))
    at_the_edge = Detection(np.array([*corner, corner[0] + 20, corner[1] + 22]), np.zeros((5, 2)), 0.5)
    assert second_looks(twice, picture, [at_the_edge], (160, 112)) == []


def test_what_is_certain_is_as_one_look_finds_it(
    twice: CenterFaceTwice, detector: CenterFace, portrait: np.ndarray
) -> None:
    ((once,),) = detector.detect(portrait[None])
    (found,) = seen_in(twice, Image.fromarray(portrait).resize((512, 512)))
    assert once.score >= 0.6
    np.testing.assert_allclose(found.box, once.box, atol=1)


def test_two_doubted_faces_that_are_one_count_once() -> None:
    class Sees(CenterFaceTwice):
        def __init__(self) -> None:
            self._wanted = 0.4

        def again(self, image: Image.Image, face: Detection, scale: float) -> Detection | None:
            return Detection(np.array([10.0, 10, 40, 40]), np.zeros((5, 2)), face.score)

    doubted = [
        Detection(np.array([left, 5.0, left + 15, 20]), np.zeros((5, 2)), score)
        for left, score in ((4.0, 0.3), (8.0, 0.5))
    ]
    (found,) = second_looks(Sees(), Image.new("RGB", (80, 80)), doubted, (40, 40))
    assert found.score == 0.5
    assert found.box.tolist() == [5, 5, 20, 20], "in the pixels of the view"
