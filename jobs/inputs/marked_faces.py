"""Photos on which every face is marked by a box: a table of boxes, or WIDER FACE's own list."""

import math
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from jobs.inputs import photo_uri, records, text_file
from jobs.run.context import Context
from udfs import lake
from udfs.errors import InputError
from udfs.vision.marked import MarkedPhoto

_SIDES = ("x", "y", "w", "h")
Box = tuple[float, float, float, float]
"""Left, top, width and height."""


def read_marked_photos(context: Context, boxes: str, images: str) -> list[MarkedPhoto]:
    """The photos that a list of boxes names, below a folder, in the order of their names.

    The list is a CSV, Parquet or Delta table with columns image, x, y, w and h, one row a face, in pixels of the
    upright picture; a row with an image alone says that it shows no face. Or it is a `.txt` as WIDER FACE has it: a
    name, how many faces, and a line for each, which begins with x, y, w and h.

    Raises:
        InputError: a malformed list, whose line is named; or no photos.
    """
    uri, root = lake.uri_of(boxes), lake.uri_of(images).rstrip("/")
    found: dict[str, list[Box]] = defaultdict(list)
    for name, box in _rows(context, uri):
        of_photo = found[name]
        if box is not None:
            of_photo.append(box)
    if not found:
        raise InputError(f"{boxes}: lists no photos; give a table with the columns image, x, y, w and h")
    return [MarkedPhoto(name, photo_uri.absolute(f"{root}/_", name), _corners(found[name])) for name in sorted(found)]


def _rows(context: Context, uri: str) -> Iterator[tuple[str, Box | None]]:
    if uri.lower().endswith(".txt"):
        lines = text_file.read(uri).splitlines()
        if len(lines) > 1 and lines[1].strip().isdigit():
            return _of_wider(lines, uri)
    return _of_table(context, uri)


def _of_table(context: Context, uri: str) -> Iterator[tuple[str, Box | None]]:
    for row in records.read(context, uri, ("image", *_SIDES), others="left out"):
        name, written = row.text("image"), [row.text(side) for side in _SIDES]
        if not name:
            raise InputError(f"{row.where}: image must not be empty")
        yield name, _box(row.where, written) if any(written) else None


def _of_wider(lines: list[str], uri: str) -> Iterator[tuple[str, Box | None]]:
    """Below an image without faces is a line all the same, with zeros."""
    at = 0
    while at < len(lines):
        name, count = lines[at].strip(), lines[at + 1].strip() if at + 1 < len(lines) else ""
        if not name:
            at += 1
            continue
        if not count.isdigit() or at + 1 + int(count) >= len(lines):
            raise InputError(
                f"{uri}: line {at + 2}: {count!r} is not how many lines of faces follow; take the list as WIDER FACE"
                " has it, or a CSV with the columns image, x, y, w and h"
            )
        yield name, None
        for line in range(at + 2, at + 2 + max(1, int(count))):
            fields = lines[line].split() if line < len(lines) else []
            if len(fields) < len(_SIDES) and int(count):
                raise InputError(
                    f"{uri}: line {line + 1}: {lines[line]!r} is no face; write x y w h, with spaces between"
                )
            if len(fields) >= len(_SIDES):
                yield name, _box(f"{uri}: line {line + 1}", fields[:4])
        at += 2 + max(1, int(count))


def _box(where: str, written: list[str]) -> Box | None:
    """A box; None for one without width or height, as WIDER FACE has them where there is no face."""
    numbers = []
    for name, text in zip(_SIDES, written, strict=True):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(f"{where}: {name} is {text!r}; write pixels as a number")
        numbers.append(number)
    left, top, width, height = numbers
    if width < 0 or height < 0:
        raise InputError(
            f"{where}: the box is {width:g} pixels wide and {height:g} high; write its size, not its corner"
        )
    if not (width and height):
        return None
    return left, top, width, height


def _corners(boxes: list[Box]) -> np.ndarray:
    corners = [(left, top, left + width, top + height) for left, top, width, height in boxes]
    return np.array(corners, np.float64).reshape(-1, 4)
