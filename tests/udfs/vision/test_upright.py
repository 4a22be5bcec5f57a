"""A face that leans is turned, and what is said of it is in pixels of its picture."""

import math
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tests.udfs.vision.pictures import encoded
from udfs.vision.detect import Detection, Detector
from udfs.vision.pipeline import FacePipeline
from udfs.vision.spec import VisionSpec
from udfs.vision.upright import as_it_stood, roll, stood_up

Array = np.ndarray

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255)]
POINTS = np.array([[-15.0, -12], [15, -12], [0, 3], [-11, 18], [11, 18]])
"""Eyes, nose and corners of the mouth of an upright face, from its middle."""
MIDDLE = np.array([150.0, 130])


def at(degrees: float) -> Array:
    """The landmarks of the face when it leans."""
    angle = math.radians(degrees)
    return POINTS @ np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]) + MIDDLE


def picture(degrees: float) -> Image.Image:
    image = Image.new("RGB", (320, 280))
    draw = ImageDraw.Draw(image)
    for (x, y), colour in zip(at(degrees), COLOURS, strict=True):
        draw.ellipse((x - 4, y - 4, x + 4, y + 4), colour)
    return image


class ByColour(Detector):
    """Finds the five dots, and is the surer the more upright they stand."""

    @classmethod
    def rule(cls) -> dict[str, object]:
        return {}

    def __init__(self) -> None:
        self.looked = 0

    def canvas(self, width: int, height: int) -> tuple[int, int]:
        return height + 32, width + 32

    def detect(self, pictures: Array) -> list[list[Detection]]:
        self.looked += len(pictures)
        return [self._found(window) for window in pictures]

    def _found(self, window: Array) -> list[Detection]:
        points = []
        for colour in COLOURS:
            rows, columns = np.nonzero((np.abs(window.astype(int) - colour) < 64).all(2))
            if not len(rows):
                return []
            points.append((columns.mean() + 0.5, rows.mean() + 0.5))
        landmarks = np.array(points)
        left, top = landmarks.min(0) - 20
        right, bottom = landmarks.max(0) + 20
        lying = Detection(np.array([left, top, right, bottom]), landmarks, 0.0)
        return [Detection(lying.box, landmarks, 1 - abs(roll(lying)) / 360)]


def face(degrees: float, guessed: float) -> Detection:
    """As a detector finds it that errs about how it leans."""
    return Detection(np.array([*(MIDDLE - 30), *(MIDDLE + 30)]), at(guessed), 0.5)


@settings(max_examples=60)
@given(st.integers(-180, 180), st.integers(-30, 30))
def test_a_face_that_leans_is_turned_upright(degrees: int, error: int) -> None:
    seen = face(degrees, degrees + error)
    turned = stood_up(ByColour(), picture(degrees), seen)
    if abs(roll(seen)) <= 40:
        assert turned is None
        return
    assert turned is not None
    assert np.abs(turned.face.landmarks - at(degrees)).max() < 2
    assert abs(roll(turned.upright)) < 4
    middle = np.array(turned.image.size) / 2
    assert np.abs((turned.upright.box[:2] + turned.upright.box[2:]) / 2 - middle).max() < 1
    pixels = np.asarray(turned.image)
    for (x, y), colour in zip(turned.upright.landmarks, COLOURS, strict=True):
        assert np.abs(pixels[int(y), int(x)].astype(int) - colour).max() < 128
    # What is kept of it is enough to turn it once more.
    again = as_it_stood(picture(degrees), turned.face)
    assert again.image.size == turned.image.size
    assert np.abs(again.upright.box - turned.upright.box).max() < 1e-6
    assert np.abs(again.upright.landmarks - turned.upright.landmarks).max() < 1e-6
    assert np.abs(np.asarray(again.image).astype(int) - pixels).max() <= 1


@pytest.mark.parametrize("degrees", [0, 25, -39])
def test_one_that_hardly_leans_is_left_as_it_is(degrees: float) -> None:
    detector = ByColour()
    assert stood_up(detector, picture(degrees), face(degrees, degrees)) is None
    assert detector.looked == 0


def test_one_that_is_not_found_again_is_left_as_it_is() -> None:
    assert stood_up(ByColour(), Image.new("RGB", (320, 280)), face(90, 90)) is None


@pytest.fixture(scope="module")
def pipeline(dlib_weights: Path, centerface_weights: Path) -> FacePipeline:
    return FacePipeline(VisionSpec(embedder="dlib-resnet-v1", threads=2))


QUARTERS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)


@pytest.mark.slow
def test_photos_that_lie_have_the_same_faces(pipeline: FacePipeline, demo_photos: tuple[Path, Path]) -> None:
    similar = []
    for path in sorted(demo_photos[1].rglob("*.jpg")):
        with Image.open(path) as photo:
            turned = [photo.convert("RGB"), *(photo.convert("RGB").transpose(quarter) for quarter in QUARTERS)]
        read = [(at, partial(encoded, picture)) for at, picture in enumerate(turned)]
        upright, *lying = [outcome.faces[0] for _, outcome in pipeline.run(read)]
        similar += [float(upright.embedding @ face.embedding) for face in lying]
        assert [round(face.quality.roll / 90) % 4 for face in lying] == [3, 2, 1]
        for face in lying:
            assert face.quality.size == pytest.approx(upright.quality.size, rel=0.3)
    assert len(similar) == 12
    assert min(similar) > 0.95
