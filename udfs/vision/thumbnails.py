"""Faces as small square pictures, as pages show them."""

import io
from collections.abc import Sequence

from PIL import Image

from udfs.vision.decode import Limits, Picture

SIDE = 160
"""Pixels."""
_ROOM = 0.3
_QUALITY = 80

SHOWN = Limits(minimum_side=1, maximum_side=4096, maximum_pixels=100_000_000, memory=800_000_000)
"""What is decoded to be shown: pictures are kept large, as a face may be a small part of one."""


def face(picture: Picture, box: Sequence[float] | None, side: int = SIDE) -> bytes:
    """A face as a JPEG of `side` x `side` pixels: the box with some room around it, black beyond the picture's edge.

    box: left, top, right, bottom, in pixels of the upright original; without one, the middle of the picture.
    """
    image = picture.image.convert("RGB")
    if box is None:
        shorter = min(image.size)
        left, top = (image.width - shorter) / 2, (image.height - shorter) / 2
        around = (left, top, left + shorter, top + shorter)
    else:
        share = image.width / picture.width
        left, top, right, bottom = (edge * share for edge in box)
        half = max(right - left, bottom - top) * (1 + _ROOM) / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        around = (x - half, y - half, x + half, y + half)
    cut = image.crop(around).resize((side, side), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    cut.save(encoded, "JPEG", quality=_QUALITY, optimize=True)
    return encoded.getvalue()
