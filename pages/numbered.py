"""A picture in which faces are numbered, so that one can be chosen."""

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

_LARGEST = 1600  # pixels of the longer side
_FRAME, _PAPER = (255, 196, 0), (0, 0, 0)


def numbered(image: Image.Image, boxes: Sequence[Sequence[float]]) -> bytes:
    """A JPEG with a frame around each face and its number, from 1.

    image: RGB. boxes: left, top, right, bottom, in its pixels.
    """
    share = min(1.0, _LARGEST / max(image.size))
    shown = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(shown)
    width = max(2, round(max(shown.size) / 400))
    font = ImageFont.load_default(max(16, max(shown.size) // 40))
    for number, box in enumerate(boxes, 1):
        left, top, right, bottom = (edge * share for edge in box)
        draw.rectangle((left, top, right, bottom), outline=_FRAME, width=width)
        # Inside the picture, also where the face is at its upper edge.
        at = (max(0.0, left), max(0.0, top))
        draw.rectangle(draw.textbbox(at, str(number), font), fill=_PAPER)
        draw.text(at, str(number), _FRAME, font)
    encoded = io.BytesIO()
    shown.save(encoded, "JPEG", quality=88)
    return encoded.getvalue()
