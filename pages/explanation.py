"""Why a face was decided as it was: one page for people who are no engineers."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from PIL import Image

from pages.plots import Plot
from pages.templates import rendered, text_of

Array = np.ndarray


@dataclass(frozen=True)
class Portrait:
    """A face beside words. picture: a data URI, or None, and then why there is none. score: similarity to the face that
    is explained."""

    who: str
    picture: str | None
    why: str
    score: float | None
    lines: Sequence[str] = ()
    strong: bool = False


@dataclass(frozen=True)
class ImportanceMap:
    """A map over the face, what was measured of it, and whether it explains anything."""

    title: str
    how: str
    picture: str
    verdict: str
    explains: bool
    plots: Sequence[Plot]


@dataclass(frozen=True)
class Step:
    """A step on the way from pixels to similarity: words, pictures with captions, and an equation."""

    title: str
    words: str
    pictures: Sequence[tuple[str, str]] = ()
    equation: str = ""


@dataclass(frozen=True)
class Explanation:
    """What the page shows, from top to bottom. bar: score, match and review threshold. notes: what else is to be known
    of it. other: what the face is compared with is called so. without: what there would be without it. samples: none
    where it is not one of a person's photos."""

    title: str
    decision: str
    word: str
    lead: str
    face: Portrait
    carrying: Portrait
    bar: tuple[float, float, float]
    notes: Sequence[str]
    other: str
    without: str
    samples: Sequence[Portrait]
    others: Sequence[Portrait]
    others_title: str
    nobody_else: str
    stranger: Portrait | None
    stranger_words: str
    qualities: Sequence[tuple[str, str, str]]
    maps: Sequence[ImportanceMap]
    steps: Sequence[Step]
    steps_note: str
    facts: Sequence[tuple[str, str]]


def html(explanation: Explanation) -> str:
    """The page. All text is escaped: names of persons and files come from outside."""
    return rendered("explanation.html", of=explanation, style=Markup(text_of("contact_sheet.css")))


def png_uri(pixels: Array, side: int, *, smooth: bool = False) -> str:
    """Pixels, uint8 (h, w, 3), as a data URI, about `side` pixels wide."""
    image = Image.fromarray(pixels)
    how = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    encoded = io.BytesIO()
    image.resize((side, max(1, round(side * image.height / image.width))), how).save(encoded, "PNG")
    return "data:image/png;base64," + base64.b64encode(encoded.getvalue()).decode("ascii")


def coloured(values: Array, colours: str = "viridis") -> Array:
    """Numbers as colours: float (h, w) -> uint8 (h, w, 3)."""
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low) if high > low else np.zeros_like(values)
    found: Array = (255 * mpl.colormaps[colours](share)[:, :, :3]).astype(np.uint8)
    return found


def overlaid(picture: Array, importance: Array) -> Array:
    """A map over a picture: uint8 (side, side, 3) and float (cells, cells) -> uint8 (side, side, 3)."""
    side = picture.shape[:2][::-1]
    positive = np.clip(importance, 0, None)
    colours = Image.fromarray(coloured(positive, "inferno")).resize(side, Image.Resampling.BICUBIC)
    grey = np.asarray(Image.fromarray(picture).convert("L"), np.float32)[:, :, None]
    found: Array = (0.45 * grey + 0.55 * np.asarray(colours, np.float32)).astype(np.uint8)
    return found
