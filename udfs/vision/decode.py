"""Image bytes to an upright RGB picture of bounded size, or the reason why not."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from udfs.vision.picture_files import PictureFile, opened
from udfs.vision.rejection import RejectedError

DECODE_RULE = {"name": "pillow-upright-rgb", "revision": 3}

_BYTES_A_PIXEL = 8
"""Of the largest picture that is decoded, when it is not in RGB."""


@dataclass(frozen=True)
class Picture:
    """An upright RGB picture.

    `image` may have fewer pixels than the file: one for each `reduction` x `reduction` of them. `width` and
    `height` are those of the upright original. `captured_at` is the time that EXIF states; None without one. `detail`
    is what is to be said of it, if anything: rows are missing, or it is one page of several.
    """

    image: Image.Image
    width: int
    height: int
    reduction: int
    captured_at: datetime | None
    detail: str = ""


@dataclass(frozen=True)
class Limits:
    """What is decoded. Sides are in pixels; `maximum_side` is that at which a picture is searched for faces."""

    minimum_side: int
    maximum_side: int
    maximum_pixels: int

    def searched(self, width: int, height: int) -> tuple[int, int]:
        """The size at which a picture of this size is searched."""
        shrink = min(1.0, self.maximum_side / max(width, height))
        return max(1, round(width * shrink)), max(1, round(height * shrink))

    def reduction(self, width: int, height: int) -> int:
        """How far a picture is reduced while it is decoded: a power of two.

        Up to a quarter less than the side searched is enough: a photo of 4,000 pixels is read at 2,000.
        """
        enough = 0.75 * self.maximum_side
        return max((factor for factor in (1, 2, 4, 8) if max(width, height) / factor >= enough), default=1)

    def refuse(self, file: PictureFile, reduction: int) -> None:
        """Refuse a picture of a size that is not searched.

        Raises:
            RejectedError: `too_large` or `too_small`.
        """
        columns, rows = file.columns, file.rows
        decoded = math.ceil(columns / reduction) * math.ceil(rows / reduction) if file.reducible else columns * rows
        if decoded > self.maximum_pixels or file.memory(reduction) > _BYTES_A_PIXEL * self.maximum_pixels:
            memory = (
                f"; decoding takes {file.memory(reduction) / 1e6:,.0f} MB" if decoded <= self.maximum_pixels else ""
            )
            raise RejectedError(
                "too_large", f"{columns} x {rows} pixels{memory}; vision.maximum_pixels is {self.maximum_pixels:,}"
            )
        if min(columns, rows) < self.minimum_side:
            raise RejectedError(
                "too_small",
                f"{columns} x {rows} pixels; the shorter side needs {self.minimum_side} (vision.minimum_face)",
            )
        searched = self.searched(columns, rows)
        if min(searched) < self.minimum_side:
            raise RejectedError(
                "too_small", f"{columns} x {rows} is {searched[0]} x {searched[1]} pixels once scaled to be searched"
            )


def decode(
    content: bytes, limits: Limits, *, reduction: int | None = None, hold: Callable[[int], None] = lambda _: None
) -> Picture:
    """Decode the first frame or page of a JPEG, PNG, WebP, BMP, TIFF, GIF, HEIC, AVIF, JPEG 2000 or PNM file, or the
    preview in a camera's raw file that is built as a TIFF (DNG, NEF, CR2, ARW).

    Large pictures are reduced by `reduction`, or as the limits say; JPEGs while they are decoded. `hold` is
    called with the number of bytes that decoding will take, before it takes them.

    Raises:
        RejectedError: `not_an_image`, `unsupported_format` (a picture that cannot be read yet), `truncated` (ends
            early, or is damaged), `too_large` (more than `maximum_pixels` are decoded, or it would take too long),
            `too_small` (the shorter side is under `minimum_side` where faces are searched for), `unsupported_mode`
            (colours that have no meaning as RGB), `raw` (a camera's raw file without a preview of about its size).
    """
    file = opened(content)
    reduction = limits.reduction(file.columns, file.rows) if reduction is None else reduction
    limits.refuse(file, reduction)
    hold(file.memory(reduction))
    decoded, detail = file.decoded(reduction)
    metadata = file.metadata
    width, height = metadata.upright_size(file.columns, file.rows)
    upright = metadata.upright(_reduced(decoded, file.columns, reduction))
    return Picture(upright, width, height, reduction, metadata.captured_at, detail)


def _reduced(image: Image.Image, columns: int, reduction: int) -> Image.Image:
    """What the decoder has not reduced already."""
    left = round(reduction * image.width / columns)
    return image.reduce(left) if left > 1 else image
