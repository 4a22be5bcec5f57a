"""Pages of TIFF files that need more than Pillow: other samples than eight bits, several pages, cameras' raw files.

TIFF 6.0 (Adobe 1992); raw files as of DNG 1.7 (Adobe 2023). Read by tifffile, whose codecs are in imagecodecs.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from PIL import Image

from udfs.vision.rejection import RejectedError
from udfs.vision.sample_range import eight_bits

Array = np.ndarray

_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_CAMERA_COLOURS = {32803, 34892}
"""Photometric interpretations of what a sensor has measured: a filter's mosaic, and linear raw."""
_JPEG = {6, 7}
_ORIENTATION, _MAXIMUM, _DNG_VERSION = 274, 281, 50706
_JPEG_AT, _JPEG_LENGTH = 513, 514
_MOST_PAGES = 1000
_LEAST_PREVIEW = 0.5
"""Of the longer side of the picture that the sensor took."""


@dataclass(frozen=True)
class Page:
    """A page to be decoded; memory: the bytes that its samples take."""

    page: Any
    columns: int
    rows: int
    orientation: int
    memory: int
    said: str

    def pixels(self) -> Array:
        """uint8 (rows, columns, 1 or 3). Raises whatever tifffile does, where it is damaged."""
        samples = self.page.asarray()
        if samples.ndim == 3 and samples.shape[-1] != self.page.samplesperpixel:  # a plane after the other
            samples = np.moveaxis(samples, 0, -1)
        samples = np.atleast_3d(samples)[..., : 3 if self.page.photometric == _RGB else 1]
        eight = eight_bits(samples, _declared_bits(self.page))
        return 255 - eight if self.page.photometric == _WHITE_IS_ZERO else eight


@dataclass(frozen=True)
class PlainPage:
    """A page that Pillow reads as well. said: what is to be said of it, if anything."""

    said: str


@dataclass(frozen=True)
class Preview:
    """A JPEG in a camera's raw file, and how the picture is to be turned."""

    content: bytes
    orientation: int


def opened(content: bytes) -> Page | PlainPage | Preview:
    """The first page, or the preview in a raw file.

    Raises:
        RejectedError: `raw`, without a preview that is large enough; `unsupported_mode`. Damage raises anything.
    """
    import tifffile

    file = tifffile.TiffFile(io.BytesIO(content))
    main: list[Any] = list(islice(file.pages, _MOST_PAGES))
    pages = list(islice(_with_children(main), _MOST_PAGES))  # each may name thousands, and so may those
    first = pages[0]
    orientation = _number(first, _ORIENTATION, 1)
    sensed = [page for page in pages if page.photometric in _CAMERA_COLOURS]
    if sensed or _DNG_VERSION in first.tags:
        return _preview(content, pages, sensed, orientation)
    count = sum(not page.is_reduced for page in main)
    plain = first.bitspersample in (1, 2, 4, 8) and first.sampleformat == 1
    said = f"page 1 of {count}{' or more' if count >= _MOST_PAGES else ''}" if count > 1 else ""
    if plain or first.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        return PlainPage(said)
    _refuse_odd_shape(first)
    return Page(first, first.imagewidth, first.imagelength, orientation, _bytes(first), said)


def _refuse_odd_shape(page: Any) -> None:
    """A damaged tag has several values, or one below 1, and tifffile gives it as it is: a tuple times a number is a
    tuple of gigabytes."""
    for value in (page.imagewidth, page.imagelength, page.samplesperpixel):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"{value!r} is no number of columns, rows or samples")


def _with_children(pages: Iterable[Any]) -> Iterator[Any]:
    for page in pages:
        yield page
        if page.subifds:
            yield from _with_children(page.pages)


def _preview(content: bytes, pages: list[Any], sensed: list[Any], orientation: int) -> Preview:
    """The largest JPEG of a raw file."""
    longest = max((max(page.imagewidth, page.imagelength) for page in sensed), default=0)
    found = [data for page in pages if (data := _jpeg_in(content, page))]
    if found:
        data = max(found, key=len)
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if max(image.size) >= _LEAST_PREVIEW * longest:
                return Preview(data, orientation)
    raise RejectedError("raw", "a camera's raw file without a preview of about its size; convert it to JPEG")


def _jpeg_in(content: bytes, page: Any) -> bytes | None:
    begin, length = _number(page, _JPEG_AT, 0), _number(page, _JPEG_LENGTH, 0)
    if not length and page.compression in _JPEG and page.photometric not in _CAMERA_COLOURS:
        if len(page.dataoffsets) != 1:
            return None
        begin, length = page.dataoffsets[0], page.databytecounts[0]
    data = content[begin : begin + length]
    return data if data.startswith(b"\xff\xd8\xff") else None


def _declared_bits(page: Any) -> int | None:
    """How many bits of a sample count, where the file says so."""
    highest = _number(page, _MAXIMUM, 0)
    if page.sampleformat == 1 and 255 < highest < (1 << page.bitspersample) - 1:
        return int(highest).bit_length()
    return page.bitspersample if page.bitspersample in (10, 12, 14) else None


def _number(page: Any, tag: int, otherwise: int) -> int:
    found = page.tags.get(tag)
    value = otherwise if found is None else found.value
    if isinstance(value, tuple):
        value = value[0] if value else otherwise
    return int(value) if isinstance(value, int | float) else otherwise


def _bytes(page: Any) -> int:
    width = max(1, page.bitspersample // 8) if page.dtype is None else page.dtype.itemsize
    return int(page.imagewidth * page.imagelength * page.samplesperpixel * (width + 1))
