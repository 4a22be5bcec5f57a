"""Image bytes to an upright RGB picture of bounded size, or the reason why not."""

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

# The size of every picture is checked here before a pixel is decoded; Pillow's own limit is another number
# and an exception that belongs to no family.
Image.MAX_IMAGE_PIXELS = None

# No format that runs a program or describes vectors (EPS, WMF) and none that no camera writes.
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "JPEG2000", "PPM")
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

_EIGHT_BIT = {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}
_SIXTEEN_BIT = {"I;16", "I;16L", "I;16B", "I;16N"}

DECODE_RULE = {"name": "pillow-upright-rgb", "revision": 1}


class RejectedError(Exception):
    """An image that has no faces to look for; `reason` is one of the outcomes `rejected:<reason>`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class Picture:
    """An upright RGB picture.

    `image` may be smaller than the file says: multiply its coordinates by `scale` for those of the upright
    original, which is `width` x `height` pixels. `captured_at` is EXIF's, None where it has none.
    """

    image: Image.Image
    width: int
    height: int
    scale: float
    captured_at: datetime | None


def decode(content: bytes, *, minimum_side: int, maximum_side: int, maximum_pixels: int) -> Picture:
    """Decode the first frame of a JPEG, PNG, WebP, BMP, TIFF, GIF, AVIF, JPEG 2000 or PNM file.

    Pictures longer than `maximum_side` are scaled down to it, JPEGs while they are decoded.

    Raises:
        RejectedError: `not_an_image`, `truncated` (ends early, or is damaged), `too_large` (more than
            `maximum_pixels`), `too_small` (the shorter side is under `minimum_side`, also after
            scaling), `unsupported_mode` (colours that have no meaning as RGB).
    """
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
    except UnidentifiedImageError as error:
        known = content.startswith(_SIGNATURES) or content[4:12] == b"ftypavif"
        raise RejectedError("truncated" if known else "not_an_image", "no readable image header") from error
    except MemoryError:
        raise
    except Exception as error:  # a damaged header may raise anything; it costs one image
        raise RejectedError("truncated", _one_line(error)) from error

    columns, rows = image.size
    if columns * rows > maximum_pixels:
        raise RejectedError("too_large", f"{columns} x {rows} pixels; at most {maximum_pixels:,} are decoded")
    if min(columns, rows) < minimum_side:
        raise RejectedError("too_small", f"{columns} x {rows} pixels; the shorter side needs {minimum_side}")
    shrink = min(1.0, maximum_side / max(columns, rows))
    target = (max(1, round(columns * shrink)), max(1, round(rows * shrink)))
    if min(target) < minimum_side:
        raise RejectedError("too_small", f"{columns} x {rows} is {target[0]} x {target[1]} pixels once scaled")
    if image.mode not in _EIGHT_BIT | _SIXTEEN_BIT:
        raise RejectedError("unsupported_mode", f"colour mode {image.mode}")

    exif = _exif(image)
    try:
        if shrink < 1.0:
            image.draft(None, target)
        image.load()
        rgb = _to_rgb(image)
        if rgb.size != target:
            rgb = rgb.resize(target, Image.Resampling.BICUBIC, reducing_gap=2.0)
    except MemoryError:
        raise
    except Exception as error:  # damaged data may raise anything; it costs one image
        raise RejectedError("truncated", _one_line(error)) from error

    method = _TRANSPOSE.get(exif.get(ExifTags.Base.Orientation, 1))
    upright = rgb if method is None else rgb.transpose(method)
    turned = method in _TURNING
    width, height = (rows, columns) if turned else (columns, rows)
    return Picture(upright, width, height, width / upright.size[0], _captured_at(exif))


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
    return image.convert("RGB")


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
    return taken.replace(tzinfo=zone or UTC).astimezone(UTC)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
