"""A small picture in a terminal: two pixels a character, in the 24-bit colours that most terminals know."""

import io
import os
import sys

import numpy as np
from PIL import Image


def can_show() -> bool:
    """Whether standard output is a terminal that says it knows such colours."""
    return sys.stdout.isatty() and os.environ.get("COLORTERM", "") in ("truecolor", "24bit")


def blocks(jpeg: bytes, columns: int = 32) -> str:
    """A square picture as lines of text."""
    image = Image.open(io.BytesIO(jpeg)).convert("RGB").resize((columns, columns), Image.Resampling.LANCZOS)
    rows = np.asarray(image).tolist()
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        cells = [_cell(above, below) for above, below in zip(upper, lower, strict=True)]
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)


def _cell(above: list[int], below: list[int]) -> str:
    """The upper half of a character in one colour, the rest in another."""
    front, back = (";".join(map(str, colour)) for colour in (above, below))
    return f"\x1b[38;2;{front}m\x1b[48;2;{back}m\u2580"
