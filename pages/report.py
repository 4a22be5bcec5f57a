"""One page of an evaluation: self-contained, opened from disk, readable on paper."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from pages.plots import Plot
from pages.templates import rendered
from udfs.vision import thumbnails


@dataclass(frozen=True)
class Headline:
    """One figure, as it is read first; `range` is its interval in words, or empty."""

    name: str
    value: str
    range: str = ""


@dataclass(frozen=True)
class ReportTable:
    """Rows of text; `numbers` are the columns, from 0, that are aligned to the right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int] = ()
    note: str = ""


@dataclass(frozen=True)
class Side:
    """One of two faces: who it shows, and a picture as a data URI; or why there is no picture."""

    who: str
    picture: str | None = None
    why: str = ""


@dataclass(frozen=True)
class Error:
    """Two faces that were compared and decided wrongly."""

    what: str
    left: Side
    right: Side


@dataclass(frozen=True)
class Errors:
    """The worst errors of one kind; the page shows the text `none` if there are no errors."""

    title: str
    none: str
    errors: Sequence[Error]


@dataclass(frozen=True)
class Report:
    """What the page shows, from top to bottom."""

    title: str
    lead: str
    headline: Sequence[Headline]
    plots: Sequence[Plot]
    tables: Sequence[ReportTable]
    errors: Sequence[Errors] = ()
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    facts_title: str = "How it was measured"


def html(report: Report) -> str:
    """The page. All text is escaped: names of persons and files come from outside."""
    return rendered("report.html", report=report)


def jpeg_uri(content: bytes) -> str:
    """A JPEG file as a data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(content).decode("ascii")


def picture(image: Image.Image, box: Sequence[float]) -> str:
    """A face as a data URI: the box (left, top, right, bottom; pixels) with some room around it."""
    return jpeg_uri(thumbnails.square(image, box))
