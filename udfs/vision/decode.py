"""Image bytes to an upright RGB picture of bounded size, or the reason why not."""

import math
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from udfs.vision.picture_files import PictureFile, opened
from udfs.vision.rejection import RejectedError, damage_is_truncated

DECODE_RULE = {"name": "pillow-upright-rgb", "revision": 3}

PIXEL_BYTES = 4
"""As Pillow keeps RGB."""
REDUCTIONS = (1, 2, 4, 8)
"""As decoders of JPEG have them: pixels of the file, across and down, for one of the picture."""


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
    """What is decoded, and how far it may be reduced. Sides are in pixels.

    maximum_side: of what is looked at in one piece: a picture is not reduced below three quarters of it.
    memory: bytes that decoding may take.
    most_reduced: for the sake of speed. For want of memory it is more.
    """

    minimum_side: int
    maximum_side: int
    maximum_pixels: int
    memory: int
    most_reduced: int = REDUCTIONS[-1]

    def reduction(self, file: PictureFile) -> int:
        """How far a picture is reduced while it is decoded: one of 1, 2, 4 and 8."""
        enough = 0.75 * self.maximum_side
        longer = max(file.columns, file.rows)
        wanted = max(at for at in REDUCTIONS if at == 1 or (longer / at >= enough and at <= self.most_reduced))
        if not file.reducible:
            return wanted
        return next((at for at in REDUCTIONS if at >= wanted and self._fits(file, at)), REDUCTIONS[-1])

    def refuse(self, file: PictureFile, reduction: int) -> None:
        """Refuse a picture of a size that is not searched.

        Raises:
            RejectedError: `too_large` or `too_small`.
        """
        if not self._fits(file, reduction):
            raise RejectedError("too_large", self._too_large(file, reduction))
        if min(file.columns, file.rows) < self.minimum_side:
            raise RejectedError(
                "too_small",
                f"{file.columns} x {file.rows} pixels; the shorter side needs {self.minimum_side}"
                " (vision.minimum_face)",
            )

    def _fits(self, file: PictureFile, reduction: int) -> bool:
        return _decoded_pixels(file, reduction) <= self.maximum_pixels and _memory(file, reduction) <= self.memory

    def _too_large(self, file: PictureFile, reduction: int) -> str:
        size = f"{file.columns} x {file.rows} pixels"
        if _decoded_pixels(file, reduction) > self.maximum_pixels:
            return f"{size}; vision.maximum_pixels is {self.maximum_pixels:,}"
        needed, there = (f"{held / 1e6:,.1f} MB" for held in (_memory(file, reduction), self.memory))
        return f"{size}; decoding takes {needed}, and {there} are for it; raise vision.memory"


@dataclass(frozen=True)
class Undecoded:
    """A picture in some bytes that is within the limits, before any of its pixels has been decoded."""

    content: bytes
    file: PictureFile
    reduction: int

    @property
    def memory(self) -> int:
        """The bytes that decoding takes, the picture included."""
        return _memory(self.file, self.reduction)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright original."""
        return self.file.metadata.upright_size(self.file.columns, self.file.rows)

    def decoded(self) -> Picture:
        """The picture.

        Raises:
            RejectedError: it is damaged, or has colours that have no meaning as RGB.
        """
        metadata = self.file.metadata
        with damage_is_truncated():
            pixels, detail = self.file.decoded(self.reduction)
        upright = metadata.upright(_reduced(pixels, self.file.columns, self.reduction))
        upright.info.clear()  # comments and profiles, which would be written into every piece of it that is shown
        return Picture(upright, *self.size, self.reduction, metadata.captured_at, detail)


def judged(content: bytes, limits: Limits) -> Undecoded:
    """The first frame or page of a JPEG, PNG, WebP, BMP, TIFF, GIF, HEIC, AVIF, JPEG 2000 or PNM file, or the preview
    in a camera's raw file that is built as a TIFF (DNG, NEF, CR2, ARW), as far as can be said before it is decoded.

    Large pictures are reduced as the limits say; JPEGs while they are decoded.

    Raises:
        RejectedError: `not_an_image`, `unsupported_format` (a picture that cannot be read yet), `truncated` (ends
            early, or is damaged), `too_large` (more than `maximum_pixels` are decoded, or it would take too long, or
            too much memory), `too_small` (the shorter side is under `minimum_side`), `unsupported_mode` (colours
            that have no meaning as RGB), `raw` (a camera's raw file without a preview of about its size).
    """
    with damage_is_truncated():
        file = opened(content)
        reduction = limits.reduction(file)
        limits.refuse(file, reduction)
    return Undecoded(content, file, reduction)


def finer(content: bytes, reduction: int) -> Undecoded:
    """A picture that was decoded before, to be decoded once more, and less reduced."""
    return Undecoded(content, opened(content), reduction)


def decode(content: bytes, limits: Limits) -> Picture:
    """`judged` and decoded.

    Raises:
        RejectedError: as `judged` and `Undecoded.decoded`.
    """
    return judged(content, limits).decoded()


def _memory(file: PictureFile, reduction: int) -> int:
    """The bytes that decoding takes, the upright picture included."""
    copied = file.metadata.turns or (reduction > 1 and not file.reducible)
    upright = PIXEL_BYTES * math.ceil(file.columns / reduction) * math.ceil(file.rows / reduction)
    return file.memory(reduction) + (upright if copied else 0)


def _decoded_pixels(file: PictureFile, reduction: int) -> int:
    """How many the decoder gives."""
    by = reduction if file.reducible else 1
    return math.ceil(file.columns / by) * math.ceil(file.rows / by)


def _reduced(image: Image.Image, columns: int, reduction: int) -> Image.Image:
    """What the decoder has not reduced already."""
    left = round(reduction * image.width / columns)
    return image.reduce(left) if left > 1 else image
