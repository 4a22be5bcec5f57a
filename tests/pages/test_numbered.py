import io

import numpy as np
from PIL import Image

from pages.numbered import numbered


def test_each_face_has_a_frame_and_a_number_inside_the_picture() -> None:
    grey = Image.new("RGB", (3200, 1600), "grey")
    shown = Image.open(io.BytesIO(numbered(grey, [(200, 200, 400, 500), (-50, -40, 300, 300)])))
    assert shown.size == (1600, 800)
    pixels = np.asarray(shown).astype(int)
    coloured = np.abs(pixels - 128).sum(axis=2) > 60
    assert coloured[100:250, 99:102].mean() > 0.9, "the left edge of the first frame, at half the size"
    assert coloured[:30, :20].any(), "the number of a face that reaches beyond the picture"
    assert not coloured[300:, 300:].any()
