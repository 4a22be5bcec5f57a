"""The pixels of a JPEG, and how far they can be trusted.

A JPEG that was cut off is decoded like a whole one: libjpeg warns, and fills the rest with grey. Pillow passes on no
warnings, so simplejpeg decodes (libjpeg-turbo as Pillow, with the same bits).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import simplejpeg

from udfs.vision.rejection import RejectedError, in_one_line

Array = np.ndarray

_LEAST_WHOLE = 0.95
"""The share of a picture's rows that must be there."""
_GREY, _BLOCK = 128, 8
_END = b"\xff\xd9"


@dataclass(frozen=True)
class Scan:
    """What a scan of a progressive JPEG adds: coefficients `first` to `last` of some components, without the `shift`
    lowest bits.
    """

    components: bytes
    first: int
    last: int
    shift: int


def decoded(content: bytes, width: int, height: int, mode: str) -> tuple[Array, str]:
    """uint8 (height, width, channels) in RGB or CMYK, and what is to be said of it, if anything.

    width, height: those of the file, divided by 1, 2, 4 or 8, and rounded up. mode: Pillow's, of the file.

    Raises:
        RejectedError: `truncated`: much of it is missing.
    """
    whole = content if content.rstrip(b"\0").endswith(_END) else content + _END
    said = "" if whole is content else "without its end marker"
    colours = "CMYK" if mode == "CMYK" else "RGB"

    def pixels(strict: bool) -> Array:
        found = simplejpeg.decode_jpeg(whole, colours, min_width=width, min_height=height, strict=strict)
        return 255 - found if colours == "CMYK" else found  # Adobe writes it inverted, and so does everyone

    try:
        return pixels(strict=True), said
    except ValueError as error:
        warning = in_one_line(error)
    try:
        found = pixels(strict=False)
    except ValueError as error:
        raise RejectedError("truncated", in_one_line(error)) from error
    missing = _grey_rows(found if colours == "RGB" else 255 - found)
    if "premature end" in warning and is_progressive(content):
        if not is_nearly_complete(list(scans(content))):
            raise RejectedError("truncated", f"{warning}; it is progressive, and too much of its detail is missing")
    elif missing > (1 - _LEAST_WHOLE) * len(found):
        raise RejectedError("truncated", f"{warning}; {missing / len(found):.0%} of its rows are missing")
    rows = f"; the last {missing} of {len(found)} rows are missing" if missing else ""
    return found, f"{warning}{rows}"


def _grey_rows(pixels: Array) -> int:
    """How many rows at the end are as libjpeg fills them, to their right end at least."""
    end = pixels[:, -_BLOCK:].astype(np.int16)
    # Of CMYK that is kept as YCCK three channels are turned around, and are 127.
    there = np.flatnonzero(((end < _GREY - 1) | (end > _GREY) if end.shape[2] == 4 else end != _GREY).any(axis=(1, 2)))
    return len(pixels) - 1 - int(there[-1]) if len(there) else len(pixels)


def is_progressive(content: bytes) -> bool:
    """Whether each scan adds detail to the whole picture."""
    return any(marker in (0xC2, 0xC6, 0xCA, 0xCE) for marker, _ in _header(content))


def coefficients(layers: Sequence[tuple[int, int, int, int]]) -> float:
    """How many coefficients a pixel has on average: each is held in two bytes until the last scan was read.

    layers: Pillow's, of each component the number, and how often it is sampled across and down.
    """
    most = max(across * down for _, across, down, _ in layers)
    return sum(across * down for _, across, down, _ in layers) / most


def scans(content: bytes) -> Iterator[Scan]:
    """The scans that begin in the file, after its metadata."""
    at = max((end for _, end in _header(content)), default=0)
    while (at := content.find(b"\xff\xda", at)) >= 0:
        count = content[at + 4] if at + 4 < len(content) else 0
        rest = content[at + 5 + 2 * count : at + 8 + 2 * count]
        if len(rest) < 3:
            return
        yield Scan(content[at + 5 : at + 5 + 2 * count : 2], rest[0], rest[1], rest[2] & 15)
        at += 2


def is_nearly_complete(begun: list[Scan]) -> bool:
    """Whether all scans but the last, which may be cut off, give the brightness to all but its last bit."""
    if not begun or not begun[0].components:
        return False
    brightness = begun[0].components[0]
    finest = np.full(64, 16)
    for scan in begun[:-1]:
        if brightness in scan.components:
            band = slice(scan.first, scan.last + 1)
            finest[band] = np.minimum(finest[band], scan.shift)
    return bool((finest <= 1).all())


def _header(content: bytes) -> Iterator[tuple[int, int]]:
    """Each segment before the first scan: its marker, and where it ends."""
    at = 2
    while at + 4 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # a byte to fill
            at += 1
            continue
        if marker == 0xDA:
            return
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        yield marker, at
