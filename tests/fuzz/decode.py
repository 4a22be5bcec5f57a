"""Fuzzing of decode: python -m tests.fuzz.decode --seconds 600 (make fuzz-decode).

Any bytes must give a picture within the limits, or a
rejection with one of the known reasons; no crash, no hang, no other exception, no memory kept.
"""

import io

import click
import numpy as np
from PIL import Image

from tests.fuzz.running import fuzz
from udfs.outcomes import REASONS
from udfs.vision.decode import Limits, decode
from udfs.vision.rejection import RejectedError

LIMITS = Limits(minimum_side=20, maximum_side=512, maximum_pixels=4_000_000, memory=64_000_000)


def check(content: bytes) -> str:
    """What became of some bytes; raises if that is not one of the outcomes that are allowed."""
    try:
        picture = decode(content, LIMITS)
    except RejectedError as rejected:
        return REASONS[REASONS.index(rejected.reason)]
    assert picture.image.mode == "RGB"
    assert picture.width * picture.height <= LIMITS.maximum_pixels
    assert min(picture.width, picture.height) >= LIMITS.minimum_side
    np.asarray(picture.image).sum()  # every pixel can be read
    return "decoded"


def corpus() -> dict[str, bytes]:
    """One small file of each format and of each way to write it that decodes differently, by name."""
    ramp = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint8)
    colour = Image.fromarray(ramp)
    grey, alpha = colour.convert("L"), colour.convert("RGBA")
    sixteen = Image.fromarray(np.asarray(grey).astype(np.uint16) << 8)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2026:01:31 12:30:00"
    frames = {"save_all": True, "append_images": [colour.transpose(Image.Transpose.ROTATE_180)]}
    written: dict[str, tuple[Image.Image, str, dict[str, object]]] = {
        "baseline.jpg": (colour, "JPEG", {"exif": exif}),
        "progressive.jpg": (colour, "JPEG", {"progressive": True}),
        "grey.jpg": (grey, "JPEG", {}),
        "cmyk.jpg": (colour.convert("CMYK"), "JPEG", {}),
        "colour.png": (colour, "PNG", {"exif": exif}),
        "palette.png": (colour.convert("P"), "PNG", {}),
        "alpha.png": (alpha, "PNG", {}),
        "sixteen.png": (sixteen, "PNG", {}),
        "one.png": (colour.convert("1"), "PNG", {}),
        "animated.png": (colour, "PNG", frames),
        "lossy.webp": (colour, "WEBP", {}),
        "lossless.webp": (alpha, "WEBP", {"lossless": True}),
        "animated.webp": (colour, "WEBP", frames),
        "colour.bmp": (colour, "BMP", {}),
        "plain.tiff": (colour, "TIFF", {}),
        "deflate.tiff": (colour, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "lzw.tiff": (sixteen, "TIFF", {"compression": "tiff_lzw"}),
        "animated.gif": (colour, "GIF", frames),
        "colour.avif": (colour, "AVIF", {}),
        "colour.heic": (colour, "HEIF", {}),
        "colour.jp2": (colour, "JPEG2000", {}),
        "colour.ppm": (colour, "PPM", {}),
    }
    files = {}
    for name, (image, form, options) in written.items():
        content = io.BytesIO()
        image.save(content, form, **options)
        files[name] = content.getvalue()
    return files


@click.command(help=__doc__)
@click.option("--seconds", default=600, show_default=True, help="How long.")
def main(seconds: int) -> None:
    fuzz(check, corpus(), seconds=seconds, most_bytes=65_536, memory_mib=1536)


if __name__ == "__main__":
    main()
