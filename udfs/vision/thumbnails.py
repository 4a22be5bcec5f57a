"""Faces as small square pictures, as pages show them."""

import io
from collections.abc import Sequence

from PIL import Image

from udfs.vision.decode import Limits, Picture

SIDE = 160
"""Pixels."""
_ROOM = 0.3
_QUALITY = 82

SHOWN = Limits(minimum_side=1, maximum_side=4096, maximum_pixels=100_000_000, memory=800_000_000)
"""What is decoded to be shown: pictures are kept large, as a face may be a small part of one."""


def face(picture: Picture, box: Sequence[float] | None) -> bytes:
    """A face, as of `square`; without a box the middle of the picture. box: in pixels of the upright original."""
    image = picture.image
    if box is None:
        x, y, half = image.width / 2, image.height / 2, min(image.size) / 2
        return _jpeg(image, (x - half, y - half, x + half, y + half))
    share = image.width / picture.width
    return square(image, [edge * share for edge in box])


def square(image: Image.Image, box: Sequence[float]) -> bytes:
    """A box (left, top, right, bottom; pixels) with some room around it, as a JPEG of SIDE x SIDE pixels; black beyond
    the picture's edge."""
    left, top, right, bottom = box
    half = max(right - left, bottom - top) * (1 + _ROOM) / 2
    x, y = (left + right) / 2, (top + bottom) / 2
    return _jpeg(image, (x - half, y - half, x + half, y + half))


def _jpeg(image: Image.Image, around: tuple[float, float, float, float]) -> bytes:
    cut = image.convert("RGB").crop(around).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    cut.save(encoded, "JPEG", quality=_QUALITY, optimize=True)
    return encoded.getvalue()
