"""Image bytes to an upright RGB picture of bounded size, or the reason why not."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, UnidentifiedImageError

# The size of every picture is checked here before a pixel is decoded: Pillow's own limit is another number, and
# raises an exception of another family than its other errors.
Image.MAX_IMAGE_PIXELS = None
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)

# No format that runs a program or describes vectors (EPS, WMF) and none that no camera writes.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF", "JPEG2000", "PPM")
_SIGNATURES = (
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"RIFF",
    b"\0\0\0\x0cjP",
)

_BOXED = {b"ftypavif", b"ftypavis", b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1"}

_EIGHT_BIT = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
_SIXTEEN_BIT = {"I;16", "I;16L", "I;16B", "I;16N"}

DECODE_RULE = {"name": "pillow-upright-rgb", "revision": 2}


class RejectedError(Exception):
    """An image in which no faces can be looked for; its outcome is `rejected:<reason>`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Picture:
    """An upright RGB picture.

    `image` may have fewer pixels than the file: one for each `reduction` x `reduction` of them. `width` and
    `height` are those of the upright original. `captured_at` is the time that EXIF states; None without one.
    """

    image: Image.Image
    width: int
    height: int
    reduction: int
    captured_at: datetime | None


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


def decode(
    content: bytes, limits: Limits, *, reduction: int | None = None, hold: Callable[[int], None] = lambda _: None
) -> Picture:
    """Decode the first frame of a JPEG, PNG, WebP, BMP, TIFF, GIF, HEIC, AVIF, JPEG 2000 or PNM file.

    Large pictures are reduced by `reduction`, or as the limits say; JPEGs while they are decoded. `hold` is
    called with the number of bytes that decoding will take, before it takes them.

    Raises:
        RejectedError: `not_an_image`, `truncated` (ends early, or is damaged), `too_large` (more than
            `maximum_pixels`), `too_small` (the shorter side is under `minimum_side` where faces are searched
            for), `unsupported_mode` (colours that have no meaning as RGB).
    """
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except UnidentifiedImageError as error:
        known = content.startswith(_SIGNATURES) or content[4:12] in _BOXED
        raise RejectedError("truncated" if known else "not_an_image", "no readable image header") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged header may raise anything; it costs one image
        raise RejectedError("truncated", _one_line(error)) from error

    columns, rows = image.size
    if columns * rows > limits.maximum_pixels:
        raise RejectedError(
            "too_large", f"{columns} x {rows} pixels; vision.maximum_pixels is {limits.maximum_pixels:,}"
        )
    if min(columns, rows) < limits.minimum_side:
        raise RejectedError(
            "too_small",
            f"{columns} x {rows} pixels; the shorter side needs {limits.minimum_side} (vision.minimum_face)",
        )
    searched = limits.searched(columns, rows)
    if min(searched) < limits.minimum_side:
        raise RejectedError(
            "too_small", f"{columns} x {rows} is {searched[0]} x {searched[1]} pixels once scaled to be searched"
        )
    if image.mode not in _EIGHT_BIT | _SIXTEEN_BIT:
        raise RejectedError("unsupported_mode", f"colour mode {image.mode}")

    reduction = limits.reduction(columns, rows) if reduction is None else reduction
    try:
        if reduction > 1:
            image.draft(None, (columns // reduction, rows // reduction))
        hold(len(content) + _bytes_to_decode(image))
        exif = _exif(image)  # now, as it decodes a PNG, and before the file of a TIFF is closed
        image.load()
        rgb = _reduced(_to_rgb(image), columns, reduction)
    except MemoryError:
        raise
    except Exception as error:  # damaged data may raise anything; it costs one image
        raise RejectedError("truncated", _one_line(error)) from error

    method = _TRANSPOSE.get(exif.get(ExifTags.Base.Orientation, 1))
    upright = rgb if method is None else rgb.transpose(method)
    width, height = (rows, columns) if method in _TURNING else (columns, rows)
    return Picture(upright, width, height, reduction, _captured_at(exif))


def _bytes_to_decode(image: Image.Image) -> int:
    """Pillow keeps a pixel of several channels in 4 bytes; what is not RGB is converted into a second picture."""
    pictures = 1 if image.mode == "RGB" else 2
    return 4 * image.width * image.height * pictures


def _reduced(image: Image.Image, columns: int, reduction: int) -> Image.Image:
    """What the decoder has not reduced already."""
    left = round(reduction * image.width / columns)
    return image.reduce(left) if left > 1 else image


_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNING = {_TRANSPOSE[5], _TRANSPOSE[6], _TRANSPOSE[7], _TRANSPOSE[8]}


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:  # Pillow's own conversion clips at 255 instead of scaling
        eight = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return Image.fromarray(eight).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _exif(image: Image.Image) -> Image.Exif:
    try:
        exif = image.getexif()
        exif.update(exif.get_ifd(ExifTags.IFD.Exif))
    except Exception:  # noqa: BLE001 - damaged metadata says nothing; the pixels are judged on their own
        return Image.Exif()
    return exif


def _captured_at(exif: Image.Exif) -> datetime | None:
    """EXIF's time in UTC where it states an offset, else its wall clock taken as UTC."""
    text = exif.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        taken = datetime.strptime(str(text).strip("\0 "), "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None
    offset = str(exif.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 ")
    try:
        zone = datetime.strptime(offset, "%z").tzinfo
    except ValueError:
        zone = None
    try:
        return taken.replace(tzinfo=zone or UTC).astimezone(UTC)
    except OverflowError:  # the first or the last day there is, in another zone
        return None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
