from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

from tests.udfs.vision.pictures import encoded, gradient
from udfs.vision import png_chunks
from udfs.vision.decode import Limits, Picture, decode, finer, judged
from udfs.vision.picture_files import opened
from udfs.vision.rejection import RejectedError


def picture(content: bytes, maximum_side: int = 2048) -> Picture:
    return decode(content, Limits(20, maximum_side, 10**8, 10**9))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF", "JPEG2000", "PPM"])
def test_formats(form: str) -> None:
    found = picture(encoded(gradient(), form))
    assert (found.width, found.height, found.reduction, found.image.mode) == (64, 48, 1, "RGB")
    assert np.abs(np.asarray(found.image, int) - np.asarray(gradient(), int)).mean() < 8


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(orientation: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # how a camera would have stored the picture
    stored = gradient().transpose(Image.Transpose(undo[orientation])) if orientation > 1 else gradient()
    exif = Image.Exif()
    exif[0x0112] = orientation
    found = picture(encoded(stored, exif=exif))
    assert (found.width, found.height) == (64, 48)
    assert np.array_equal(np.asarray(found.image), np.asarray(gradient()))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_colour_modes(mode: str) -> None:
    grey = gradient().convert("L")
    if mode == "I;16":
        image = Image.fromarray(np.asarray(grey).astype(np.uint16) << 8)
    else:
        image = gradient().convert("RGB" if mode == "CMYK" else mode).convert(mode)
    found = picture(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert found.image.mode == "RGB"
    if mode == "I;16":
        assert np.array_equal(np.asarray(found.image)[..., 0], np.asarray(grey))


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize(("side", "reduction"), [(1000, 1), (660, 2), (250, 4), (100, 8), (64, 8)])
def test_large_pictures_are_reduced_and_say_so(form: str, side: int, reduction: int) -> None:
    found = picture(encoded(gradient(1001, 500), form), maximum_side=side)
    assert (found.width, found.height, found.reduction) == (1001, 500, reduction)
    assert found.image.size == (-(-1001 // reduction), -(-500 // reduction))
    small = gradient(1001, 500).resize(found.image.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(found.image, int) - np.asarray(small, int)).mean() < 2


def test_a_picture_can_be_had_sharper() -> None:
    assert finer(encoded(gradient(1000, 500), "JPEG"), 2).decoded().image.size == (500, 250)


def test_what_decoding_takes_is_said_before() -> None:
    content = encoded(gradient(1000, 500), "JPEG")
    assert judged(content, Limits(20, 2048, 10**8, 10**9)).memory == len(content) + 7 * 1000 * 500


def test_a_picture_is_reduced_for_want_of_memory_and_no_further_than_is_allowed_for_the_sake_of_speed() -> None:
    content = encoded(gradient(4000, 2000), "JPEG")
    for memory, most, reduction in [
        (10**9, 8, 4),
        (10**9, 2, 2),
        (10**9, 1, 1),
        (15 * 10**6, 1, 2),
        (12 * 10**5, 1, 8),
    ]:
        assert decode(content, Limits(20, 1000, 10**8, memory, most)).reduction == reduction
    with pytest.raises(RejectedError, match=r"decoding takes 1.0 MB, and 0.1 MB are for it; raise vision\.memory"):
        decode(content, Limits(20, 1000, 10**8, 10**5))


def test_the_first_frame_counts() -> None:
    frames = [gradient(), Image.new("RGB", (64, 48))]
    found = picture(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True))
    assert np.array_equal(np.asarray(found.image), np.asarray(gradient()))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"Remember to label the photos.", "not_an_image"),
        (b"\0" * 1000, "not_an_image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 90 90\n", "not_an_image"),
        (encoded(gradient(), "JPEG")[:300], "truncated"),
        (encoded(gradient(500, 500), "JPEG")[:-2000], "truncated"),
        (encoded(gradient(500, 500), "PNG")[:-400], "truncated"),
        (encoded(gradient(), "PNG")[:10], "truncated"),
        (encoded(gradient(1, 1)), "too_small"),
        (encoded(gradient(4000, 19)), "too_small"),
        (encoded(Image.new("1", (20_000, 20_000))), "too_large"),
    ],
)
def test_rejections(content: bytes, reason: str) -> None:
    with pytest.raises(RejectedError) as rejected:
        picture(content)
    assert rejected.value.reason == reason


@pytest.mark.parametrize(("zone", "hour"), [(None, 12), ("+02:00", 10)])
def test_when_it_was_taken(zone: str | None, hour: int) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:01:31 12:30:00"
    if zone:
        exif.get_ifd(0x8769)[0x9011] = zone
    found = picture(encoded(gradient(), "JPEG", exif=exif))
    assert found.captured_at == datetime(2026, 1, 31, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("of_change", "hour"),
    [({0x0132: "2026:01:01 00:30:00", 0x9010: "+02:00"}, 22), ({0x0132: "2026:01:01 22:30:00"}, 22)],
)
@pytest.mark.parametrize("taken", [None, "    :  :     :  :  "], ids=["no time", "a blank time"])
def test_else_when_it_was_changed(taken: str | None, of_change: dict[int, str], hour: int) -> None:
    """By the offset of that time, not of the other."""
    exif = Image.Exif()
    exif[0x0132] = of_change[0x0132]
    of_camera = exif.get_ifd(0x8769)
    of_camera[0x9011] = "-05:00"
    if taken:
        of_camera[0x9003] = taken
    if 0x9010 in of_change:
        of_camera[0x9010] = of_change[0x9010]
    found = picture(encoded(gradient(), "JPEG", exif=exif)).captured_at
    assert found is not None
    assert (found.hour, found.minute) == (hour, 30)


def test_what_stands_behind_the_pixels_of_a_png_is_read_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(gradient(), exif=exif)
    found = {name: bytes(chunk) for name, chunk in png_chunks.chunks(content)}
    behind = content.replace(found[b"eXIf"], b"").replace(found[b"IEND"], found[b"eXIf"] + found[b"IEND"])
    assert sorted(behind) == sorted(content)

    def load(_: object) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr(PngImageFile, "load", load)
    for each in (content, behind):
        assert opened(each).metadata.orientation == 6
    assert opened(encoded(gradient())).metadata.orientation == 1


def test_damaged_metadata_costs_no_picture() -> None:
    exif = Image.Exif()
    exif[0x0132] = "yesterday"
    found = picture(encoded(gradient(), "JPEG", exif=exif))
    assert found.captured_at is None
    broken = picture(encoded(gradient(), "JPEG", exif=b"Exif\0\0garbage"))
    assert broken.captured_at is None
