"""Images that claim or unfold to more than there is memory, are programs, or carry programs in what they say of
themselves. What each is refused for is in tests/udfs/vision as well; here each is decoded in little memory."""

import io
import pickle
import resource
import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from pages.numbered import numbered
from udfs.vision import thumbnails
from udfs.vision.decode import Limits, decode
from udfs.vision.rejection import RejectedError

LIMITS = Limits(20, 2048, 10**8, 10**9)
SMALL = Image.new("RGB", (64, 64))
ZEROS = zlib.compress(bytes(200 << 20))
"""200 MB in 200 kB."""

MODEST = 150_000_000
"""Bytes."""


def most_memory() -> int:
    """Bytes that this process has used at most so far, those of decoders included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def encoded(form: str, **options: object) -> bytes:
    content = io.BytesIO()
    SMALL.save(content, form, **options)
    return content.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, before: bytes = b"", pixels: bytes = bytes(64 * 193)) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + header + before + data + chunk(b"IEND", b"")


def tiff(*entries: tuple[int, int, int, int]) -> bytes:
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", 0)


def jpeg_of(width: int, height: int) -> bytes:
    content = bytearray(encoded("JPEG"))
    at = content.index(b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content[: at + 200])


def bmp(width: int, height: int) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 100, 0, 0, 54) + header


HUGE_TIFF = tiff(
    *((256, 4, 1, 200_000), (257, 4, 1, 200_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)),
    *((273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 200_000), (279, 4, 1, 10)),
)
MANY_STRIPS = tiff(
    *((256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)),
    *((273, 4, 2**32 - 1, 8), (277, 3, 1, 1), (279, 4, 2**32 - 1, 8)),
)
REFUSED = {
    "PNG of 2.5 gigapixels": (png(50_000, 50_000), "too_large"),
    "PNG of 2^31 columns": (png(2**31 - 1, 2**31 - 1), "too_large"),
    "PNG of no columns": (png(0, 0), "truncated"),
    "PNG whose part claims 2 GB": (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31 - 1) + b"IHDR" + bytes(13),
        "truncated",
    ),
    "JPEG of 60,000 columns without data": (jpeg_of(60_000, 400), "truncated"),
    "lossless WebP of 16384 x 16384": (
        b"RIFF\x1e\0\0\0WEBPVP8L\x11\0\0\0\x2f\xff\xff\xff\x0f" + bytes(20),
        "too_large",
    ),
    "WebP with a canvas of 2^24 columns": (
        b"RIFF" + struct.pack("<I", 22) + b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + b"\xff" * 6,
        "truncated",
    ),
    "TIFF of 40 gigapixels": (HUGE_TIFF, "too_large"),
    "TIFF with 2^32 strips": (MANY_STRIPS, "truncated"),
    "TIFF whose pages go in a circle": (b"II*\0" + struct.pack("<IHI", 8, 0, 8), "truncated"),
    "TIFF with 65,535 tags": (b"II*\0" + struct.pack("<IH", 8, 65_535) + bytes(100), "truncated"),
    "BigTIFF with 2^63 tags": (b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**63), "truncated"),
    "GIF with a canvas of 65,535 x 65,535": (
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + bytes(6) + b",\0\0\0\0\xff\xff\xff\xff\0\x08\0;",
        "too_large",
    ),
    "PPM of 10 gigapixels": (b"P6\n99999 99999\n255\n\0\0", "too_large"),
    "PPM with a number of 100,000 digits": (b"P6\n" + b"9" * 100_000 + b" 1\n255\n", "truncated"),
    "BMP of 2^31 columns": (bmp(2**31 - 1, 2**31 - 1), "too_large"),
    "BMP of -2^31 rows": (bmp(-(2**31), -(2**31)), "too_large"),
    "JPEG 2000 of 2^31 columns": (
        b"\xff\x4f\xff\x51\0\x29\0\0"
        + struct.pack(">8I", 2**31, 2**31, 0, 0, 2**31, 2**31, 0, 0)
        + b"\0\3"
        + b"\7\1\1" * 3,
        "too_large",
    ),
    "SVG with a script": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "not_an_image"),
    "EPS with a program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(%pipe%id) (w) file\n", "not_an_image"),
    "HTML": (b"<html><script>alert(1)</script>", "not_an_image"),
    "pickle": (pickle.dumps({"a": 1}), "not_an_image"),
    "zip": (b"PK\x03\x04" + bytes(100), "not_an_image"),
    "PDF": (b"%PDF-1.4\n", "not_an_image"),
    "icon of 4 GB": (b"icns" + struct.pack(">I", 2**32 - 1) + b"ic10" + struct.pack(">I", 2**32 - 1), "not_an_image"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    content, reason = REFUSED[name]
    before = most_memory()
    with pytest.raises(RejectedError) as refused:
        decode(content, LIMITS)
    assert refused.value.reason == reason
    assert most_memory() - before < MODEST


EVIL = Image.Exif()
EVIL[0x010E] = "<script>alert(1)</script>"
EVIL[0x013B] = "'; DROP TABLE images; --"
EVIL[0x0132] = "2026:01:01 25:61:61\0<b>"
EVIL[0x9003] = "=1+1"
DAMAGED = b"\xff\xe1" + struct.pack(">H", 208) + b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 190
READ = {
    "PNG with a text of 200 MB": png(64, 64, chunk(b"zTXt", b"c\0\0" + ZEROS)),
    "PNG with a colour profile of 200 MB": png(64, 64, chunk(b"iCCP", b"c\0\0" + ZEROS)),
    "PNG with an international text of 200 MB": png(64, 64, chunk(b"iTXt", b"c\0\1\0\0\0" + ZEROS)),
    "PNG with more pixels than it says": png(64, 64, pixels=bytes(100 << 20)),
    "JPEG with scripts and SQL in its metadata": encoded("JPEG", exif=EVIL),
    "JPEG with 65,535 damaged entries in its metadata": encoded("JPEG")[:2] + DAMAGED + encoded("JPEG")[2:],
    "PNG with damaged metadata": png(64, 64, chunk(b"eXIf", b"MM\0*\0\0\0\x08" + b"\xff" * 50)),
}


@pytest.mark.parametrize("name", READ)
@pytest.mark.filterwarnings("ignore")
def test_what_is_read_all_the_same(name: str) -> None:
    before = most_memory()
    picture = decode(READ[name], LIMITS)
    assert (picture.width, picture.height, picture.captured_at) == (64, 64, None)
    assert most_memory() - before < MODEST


def comment_in_gif() -> bytes:
    return encoded("GIF", comment=b"<script>evil")


def comment_in_jpeg() -> bytes:
    return encoded("JPEG", comment=b"<script>evil", icc_profile=b"evil" * 50)


def metadata_in_png() -> bytes:
    return encoded("PNG", icc_profile=b"evil" * 50, exif=EVIL)


def metadata_in_webp() -> bytes:
    return encoded("WEBP", xmp=b"<x:evil/>", exif=EVIL)


def metadata_in_tiff() -> bytes:
    return encoded("TIFF", icc_profile=b"evil" * 50, description="<script>evil")


@pytest.mark.parametrize("make", [comment_in_gif, comment_in_jpeg, metadata_in_png, metadata_in_webp, metadata_in_tiff])
def test_nothing_of_a_file_but_its_pixels_is_shown(make: Callable[[], bytes]) -> None:
    """Pictures in pages are pixels: they keep no comment, no profile, and not where a photo was taken."""
    picture = decode(make(), LIMITS)
    assert picture.image.info == {}
    for shown in (thumbnails.face(picture, [10, 10, 50, 50]), numbered(picture.image, [[1.0, 1.0, 30.0, 30.0]])):
        assert not any(told in shown.lower() for told in (b"evil", b"script", b"exif", b"icc"))
