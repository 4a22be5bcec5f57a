import numpy as np
import pytest
from PIL import Image, ImageDraw

from udfs.vision.crops import eyes_crop, margin_crop
from udfs.vision.detect import Detection


def face(left: float, top: float, side: float, turn: float = 0.0) -> Detection:
    """A face whose eyes stand a third from the top, a quarter from the sides, turned about the left eye."""
    eye = complex(left + side / 4, top + side / 3)
    other = eye + side / 2 * complex(np.cos(turn), np.sin(turn))
    rest = [(left + side / 2, top + side / 2)] * 3
    return Detection(
        np.array([left, top, left + side, top + side]),
        np.array([(eye.real, eye.imag), (other.real, other.imag), *rest]),
        1.0,
    )


@pytest.mark.parametrize("side", [40, 150, 700])
@pytest.mark.parametrize("turn", [0.0, 0.6, -1.0])
def test_eyes_stand_where_dlib_wants_them(side: int, turn: float) -> None:
    found = face(100, 120, side, turn)
    image = Image.new("RGB", (1000, 1000))
    draw = ImageDraw.Draw(image)
    dot = side / 20
    for (x, y), colour in zip(found.landmarks[:2], ("red", "blue"), strict=True):
        draw.ellipse((x - dot, y - dot, x + dot, y + dot), fill=colour)
    chip = eyes_crop(image, found, size=150).astype(float)
    for channel, (x, y) in ((0, (47.7, 47.1)), (2, (100.3, 47.1))):
        weight = chip[..., channel]
        rows, columns = np.indices(weight.shape)
        assert (columns * weight).sum() / weight.sum() == pytest.approx(x, abs=1.5)
        assert (rows * weight).sum() / weight.sum() == pytest.approx(y, abs=1.5)


@pytest.mark.parametrize("corner", [(-30, -30), (80, 80), (300, 300), (-300, 10)])
def test_crops_at_the_edge_have_their_size(corner: tuple[int, int]) -> None:
    image = Image.new("RGB", (100, 90), "white")
    found = face(*corner, 40)
    assert margin_crop(image, found, size=160, margin=14).shape == (160, 160, 3)
    assert eyes_crop(image, found, size=150).shape == (150, 150, 3)
