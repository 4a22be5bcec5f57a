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


def pnm(samples: Array, last: int) -> bytes:
    """Samples of up to 16 bits, of which `last` is white, as Netpbm's files have them."""
    form = b"P6" if samples.ndim == 3 else b"P5"
    kind = ">u2" if last > 255 else "u1"
    return b"%s\n# made\n%d %d\n%d\n" % (form, *samples.shape[1::-1], last) + samples.astype(kind).tobytes()


def greys(grey: Array) -> dict[str, bytes]:
    """A picture, uint8 (h, w), in files with grey samples of any depth, by what they are."""
    deep = grey.astype(np.uint16) * 257
    twelve = deep >> 4
    size = b"%d %d" % grey.shape[::-1]
    return {
        "PNG of 16 bits": png_of_samples(deep),
        "PNG of 12": png_of_samples(twelve),
        "TIFF of 16": tiff(deep),
        "TIFF of 12 in 16": tiff(twelve),
        "TIFF of 12": tiff(twelve, bitspersample=12),
        "TIFF that says 12": tiff(twelve, extratags=[(281, "H", 1, 4095, True)]),
        "TIFF in which white is 0": tiff(65535 - deep, photometric="miniswhite"),
        "TIFF of 32": tiff(deep.astype(np.uint32) << 16),
        "signed TIFF": tiff((deep.astype(np.int32) - 32768).astype(np.int16)),
        "signed TIFF without negative values": tiff((deep >> 1).astype(np.int16)),
        "TIFF of floats to 1": tiff(grey.astype(np.float32) / 255),
        "TIFF of floats to 255": tiff(grey.astype(np.float64)),
        "compressed TIFF": tiff(deep, compression="lzw"),
        "PGM of 16": pnm(deep, 65535),
        "PGM of 12": pnm(twelve, 4095),
        "PGM of 7": pnm(grey >> 1, 127),
        "PGM to 100": pnm(np.rint(grey / 255 * 100).astype(np.uint8), 100),
        "PGM to 1000": pnm(np.rint(grey / 255 * 1000).astype(np.uint16), 1000),
        "text PGM": b"P2 " + size + b" 255\n" + b" ".join(b"%d" % value for value in grey.ravel()),
        "PFM": b"Pf\n" + size + b"\n-1.0\n" + (grey[::-1] / 255).astype("<f4").tobytes(),
        "PFM, highest byte first": b"Pf\n" + size + b"\n1.0\n" + grey[::-1].astype(">f4").tobytes(),
    }


def colours(colour: Array) -> dict[str, bytes]:
    """A picture, uint8 (h, w, 3), in files with samples of any depth, by what they are."""
    deep = colour.astype(np.uint16) * 257
    twelve = deep >> 4
    size = b"%d %d" % colour.shape[1::-1]
    return {
        "PNG of 16 bits": png_of_samples(deep),
        "PNG of 12": png_of_samples(twelve),
        "PNG with alpha": png_of_samples(np.dstack([deep, deep[..., 0]])),
        "TIFF of 16": tiff(deep, photometric="rgb"),
        "TIFF of 12": tiff(twelve, photometric="rgb"),
        "TIFF in planes": tiff(np.moveaxis(deep, 2, 0), photometric="rgb", planarconfig="separate"),
        "TIFF in tiles": tiff(deep, photometric="rgb", tile=(64, 64)),
        "TIFF of floats": tiff(colour.astype(np.float32) / 255, photometric="rgb"),
        "PPM of 16": pnm(deep, 65535),
        "PFM": b"PF\n" + size + b"\n-1.0\n" + (colour[::-1] / 255).astype("<f4").tobytes(),
    }
