"""Files as people have them: what can be read is read, what is missing is said, and what cannot be read is named."""

import base64
import re
import struct
from datetime import UTC, datetime

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.udfs.vision.pictures import (
    colours,
    encoded,
    gradient,
    greys,
    png_of_samples,
    pnm,
    raw,
    textured,
    tiff,
    with_chunk,
)
from udfs.vision.decode import Limits, Picture, decode
from udfs.vision.rejection import RejectedError

Array = np.ndarray

COLOUR = np.asarray(textured())
GREY = np.asarray(textured().convert("L"))
DEEP = GREY.astype(np.uint16) * 257
JPEG, PROGRESSIVE = (encoded(textured(), "JPEG", progressive=progressive) for progressive in (False, True))
PNG = encoded(textured())
END = b"\xff\xd9"


def picture(content: bytes) -> Picture:
    return decode(content, Limits(20, 2048, 10**8, 10**9))


def pixels(content: bytes) -> Array:
    return np.asarray(picture(content).image, int)


def rejection(content: bytes) -> RejectedError:
    with pytest.raises(RejectedError) as rejected:
        picture(content)
    return rejected.value


# --- JPEG ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [JPEG, PROGRESSIVE], ids=["baseline", "progressive"])
def test_a_jpeg_without_its_end_marker_is_whole(content: bytes) -> None:
    assert np.array_equal(pixels(content[:-2]), pixels(content))
    assert picture(content[:-2]).detail == "without its end marker"
    assert picture(content).detail == ""


def test_a_jpeg_of_which_a_little_is_missing_is_read_and_says_so() -> None:
    found = picture(JPEG[: int(0.99 * len(JPEG))])
    missing = re.search(r"the last (\d+) of 480 rows are missing", found.detail)
    assert missing is not None
    there = 480 - int(missing[1])
    assert 0.95 * 480 <= there < 480
    there -= 2  # colours are blended with the rows below
    assert np.array_equal(np.asarray(found.image)[:there], pixels(JPEG)[:there])


@pytest.mark.parametrize(
    ("content", "share"), [(JPEG, 0.2), (JPEG, 0.5), (JPEG, 0.9), (PROGRESSIVE, 0.1), (PROGRESSIVE, 0.2)]
)
@pytest.mark.parametrize("end", [b"", END], ids=["cut", "cut, and an end marker behind"])
def test_an_end_marker_proves_nothing(content: bytes, share: float, end: bytes) -> None:
    assert rejection(content[: int(share * len(content))] + end).reason == "truncated"


def test_a_progressive_jpeg_that_lacks_its_last_bits_is_read() -> None:
    found = picture(PROGRESSIVE[: int(0.99 * len(PROGRESSIVE))] + END)
    assert "premature end" in found.detail
    assert np.abs(np.asarray(found.image, int) - pixels(PROGRESSIVE)).mean() < 2


def test_stray_bytes_before_a_jpeg_are_passed_over() -> None:
    assert np.array_equal(pixels(b"\n" + JPEG), pixels(JPEG))
    assert rejection(b"\n" * 100 + JPEG).reason == "not_an_image"


def test_a_jpeg_in_cmyk_has_its_colours() -> None:
    found = pixels(encoded(textured().convert("CMYK"), "JPEG", quality=95))
    assert np.abs(found - COLOUR).mean() < 8


def test_what_counts_is_what_is_decoded() -> None:
    content = encoded(gradient(4000, 3000), "JPEG")
    limits = Limits(20, 1000, 1_000_000, 10**9)
    assert decode(content, limits).image.size == (1000, 750)
    with pytest.raises(RejectedError, match=r"4000 x 3000 pixels; vision\.maximum_pixels is 1,000,000"):
        decode(encoded(gradient(4000, 3000)), limits)


def test_many_scans_take_too_long() -> None:
    # The last scan again and again, as it stands: each is decoded.
    last = PROGRESSIVE.rindex(b"\xff\xda")
    content = PROGRESSIVE[:-2] + PROGRESSIVE[last:-2] * 200 + END
    rejected = rejection(content)
    assert rejected.reason == "too_large"
    assert re.search(r"progressive with \d+ scans, more than 100", rejected.detail)


# --- what is beside the pixels -------------------------------------------------------------------------------


@pytest.mark.parametrize("white", [1.0, 255.0])
def test_a_highlight_makes_nothing_else_dark(white: float) -> None:
    """As sharpening leaves it at an edge."""
    samples = np.linspace(0, white, 4800, dtype=np.float32).reshape(60, 80)
    plain = np.asarray(picture(tiff(samples)).image)
    samples[30, 40] = 1.3 * white
    lit = np.array(picture(tiff(samples)).image)
    assert (lit[30, 40] == 255).all()
    lit[30, 40] = plain[30, 40]
    assert np.array_equal(lit, plain)


def test_a_cut_off_picture_of_photoshop_is_one() -> None:
    """Its CMYK is kept as YCCK, of which libjpeg fills up three channels with another value than the fourth."""
    samples = np.asarray(textured().convert("CMYK"))
    content = bytes(imagecodecs.jpeg_encode(samples, level=95, colorspace="CMYK", outcolorspace="YCCK"))
    assert picture(content).image.size == samples.shape[1::-1]
    assert rejection(content[: len(content) // 2]).reason == "truncated"


@pytest.mark.parametrize(
    ("name", "data", "damaged"),
    [
        (b"tEXt", b"Comment\0wrong", True),
        (b"zTXt", b"Comment\0\0" + b"no deflate", False),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + b"x" * 3_000_000, False),
        (b"iCCP", b"profile\0\0" + b"no deflate", True),
        (b"eXIf", b"no exif", True),
        (b"zzZz", b"?" * 100, True),
    ],
)
def test_what_is_beside_the_pixels_of_a_png_does_not_decide(name: bytes, data: bytes, damaged: bool) -> None:
    assert np.array_equal(pixels(with_chunk(PNG, name, data, damaged)), COLOUR)


def test_a_deep_png_whose_header_is_damaged_costs_one_image() -> None:
    content = bytearray(png_of_samples(DEEP))
    content[8:12] = (7).to_bytes(4, "big")  # the length of its header
    assert rejection(bytes(content)).reason == "truncated"


def test_the_orientation_of_a_png_is_seen() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = picture(with_chunk(encoded(textured(), exif=exif), b"tEXt", b"a\0b", damaged=True))
    assert (found.width, found.height) == (480, 640)


def test_the_orientation_of_the_main_directory_decides() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x0112] = 1
    exif.get_ifd(0x8769)[0x9003] = "2026:01:31 12:30:00"
    found = picture(encoded(textured(), "JPEG", exif=exif))
    assert (found.width, found.height) == (480, 640)
    assert found.captured_at == datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


# --- samples -------------------------------------------------------------------------------------------------


GREYS, COLOURS = greys(GREY), colours(COLOUR)


@pytest.mark.parametrize("name", GREYS)
def test_grey_samples_of_any_depth_are_the_same_picture(name: str) -> None:
    assert np.abs(pixels(GREYS[name]) - GREY[..., None]).max() <= 1


@pytest.mark.parametrize("name", COLOURS)
def test_coloured_samples_of_any_depth_are_the_same_picture(name: str) -> None:
    assert np.abs(pixels(COLOURS[name]) - COLOUR).max() <= 1


def test_the_range_that_a_png_declares_counts() -> None:
    dark = GREY.astype(np.uint16) << 2  # of 12 bits, of which ten are used
    declared = with_chunk(png_of_samples(dark), b"sBIT", b"\x0c")
    assert np.array_equal(pixels(declared)[..., 0], dark >> 4)
    assert np.array_equal(pixels(png_of_samples(dark))[..., 0], GREY), "by the bits that are used"


def test_a_tiff_in_lab_has_its_colours() -> None:
    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    content = encoded(ImageCms.applyTransform(textured(), to_lab), "TIFF")  # type: ignore[arg-type]
    assert np.abs(pixels(content) - COLOUR).mean() < 2


# --- another picture than the photo --------------------------------------------------------------------------


def test_of_several_pages_or_frames_the_first_is_seen_and_that_is_said() -> None:
    others = {"save_all": True, "append_images": [gradient(), gradient().transpose(Image.Transpose.ROTATE_180)]}
    assert picture(encoded(textured(), "TIFF", **others)).detail == "page 1 of 3"
    assert picture(encoded(textured().convert("P"), "GIF", **others)).detail == "frame 1 of 3"
    assert picture(encoded(textured(), "TIFF")).detail == ""
    assert picture(tiff(np.stack([DEEP, DEEP]))).detail == "page 1 of 2"


def test_the_frames_of_a_large_gif_are_not_counted() -> None:
    """Half a million of them would take seconds."""
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    content = encoded(textured().convert("P"), "GIF").removesuffix(b";") + frame * ((9 << 20) // len(frame)) + b";"
    assert len(content) > 8 << 20
    assert picture(content).detail == "frame 1 of several"


def test_the_preview_of_a_raw_file_is_read_if_it_is_about_as_large() -> None:
    found = picture(raw(textured(), (640, 480), orientation=6))
    assert (found.width, found.height) == (480, 640)
    assert found.detail == "the preview in a camera's raw file"
    upright = np.asarray(found.image.transpose(Image.Transpose.ROTATE_90), int)
    assert np.abs(upright - COLOUR).mean() < 16
    rejected = rejection(raw(textured(160, 120), (640, 480)))
    assert (rejected.reason, "convert it to JPEG" in rejected.detail) == ("raw", True)


# --- wrong reasons -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (b"RIFF\0\x10\0\0AVI LIST" + bytes(100), "not_an_image", ""),
        (b"RIFF\0\x10\0\0WAVEfmt " + bytes(100), "not_an_image", ""),
        (b"BMW sold more cars than ever before.", "not_an_image", ""),
        (b"P2P networks are not pictures", "not_an_image", ""),
        (b"GIFts for everyone", "not_an_image", ""),
        (b"\xff\x0a" + bytes(100), "unsupported_format", "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100), "unsupported_format", "JPEG XL"),
        (b"8BPS\0\x01" + bytes(100), "unsupported_format", "Photoshop"),
        (b"\0\0\0\x18ftypcrx " + bytes(100), "unsupported_format", "Canon raw"),
        (encoded(gradient(), "BMP")[:40], "truncated", ""),
        (encoded(gradient(), "WEBP")[:20], "truncated", ""),
        (tiff(DEEP)[:200], "truncated", ""),
        (tiff(DEEP)[:-9000], "truncated", ""),
        (png_of_samples(DEEP)[:-9000], "truncated", ""),
        (pnm(DEEP, 65535)[:-2], "truncated", "307,199 of 307,200 samples"),
        (b"P2 64 48 255\n" + b"one two ", "truncated", "not all numbers"),
        (b"P5 64 48 70000\n" + bytes(9000), "truncated", "header"),
    ],
)
def test_the_reason_is_the_right_one(content: bytes, reason: str, said: str) -> None:
    rejected = rejection(content)
    assert rejected.reason == reason
    assert said in rejected.detail


def test_a_tiff_with_several_widths_takes_no_memory() -> None:
    """Found by fuzzing: 154 bytes that say two thousand million samples a pixel, and three widths."""
    content = base64.b64decode(
        "SUkqAAgAAAAKAAABBAADAAAAQAAAAAEBBAABAAAAMAAAAAIBAwADAAAAhgAAAAMBAwABAAAAAQAAAAYBAwABAAAAAgAAABEBBAAB"
        "AAAAjAAAABUBAwABAAAAZnR5cAAAAAAAAP8ANQAAABcBBAABAAAAACQAABwBAwABAAAAAQAAAAD/AAAACAAIAAgAAAAAAAAAEBAQ"
        "EJAQkA=="
    )
    rejected = rejection(content)
    assert rejected.reason == "truncated"
    assert "is no number of columns, rows or samples" in rejected.detail
