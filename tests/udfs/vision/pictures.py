"""Files of pictures as other programs write them, and as they break."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

Array = np.ndarray


def encoded(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    """A picture as a file of one of Pillow's formats."""
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def gradient(width: int = 64, height: int = 48) -> Image.Image:
    """Red from left to right, green from top to bottom."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return Image.fromarray(pixels)


def textured(width: int = 640, height: int = 480) -> Image.Image:
    """A gradient with grain, so that no part of it is short in a file."""
    grain = np.random.default_rng(0).integers(0, 40, (height, width, 3))
    return Image.fromarray(np.clip(np.asarray(gradient(width, height), int) + grain, 0, 255).astype(np.uint8))


def tiff(pixels: Array, **options: object) -> bytes:
    """Samples of any type as a TIFF."""
    content = io.BytesIO()
    tifffile.imwrite(content, pixels, **options)
    return content.getvalue()


def png_of_samples(pixels: Array) -> bytes:
    """Samples of 16 bits as a PNG."""
    return bytes(imagecodecs.png_encode(pixels))


def with_chunk(png: bytes, name: bytes, data: bytes, damaged: bool = False) -> bytes:
    """A PNG with another chunk before its pixels."""
    checksum = zlib.crc32(name + data) ^ damaged
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)
    return png[:33] + chunk + png[33:]


def raw(preview: Image.Image, sensor: tuple[int, int], orientation: int = 1) -> bytes:
    """A DNG as cameras write it: a thumbnail, and below it a mosaic and a preview in JPEG."""
    content = io.BytesIO()
    with tifffile.TiffWriter(content) as writer:
        thumbnail = np.asarray(preview.resize((32, 24)))
        tags = [(274, "H", 1, orientation, True), (50706, "B", 4, b"\x01\x04\0\0", True)]
        writer.write(thumbnail, photometric="rgb", subfiletype=1, subifds=2, extratags=tags)
        mosaic = np.zeros((sensor[1], sensor[0]), np.uint16)
        writer.write(
            mosaic, photometric="cfa", extratags=[(33421, "H", 2, (2, 2), True), (33422, "B", 4, bytes(4), True)]
        )
        writer.write(
            iter([encoded(preview, "JPEG", quality=95)]),
            shape=(preview.height, preview.width, 3),
            dtype=np.uint8,
            photometric="ycbcr",
            compression="jpeg",
            subfiletype=1,
            rowsperstrip=preview.height,
        )
    return content.getvalue()
