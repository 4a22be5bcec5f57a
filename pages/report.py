"""One page of an evaluation: self-contained, opened from disk, readable on paper."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

from pages.plots import Plot

_SIDE = 160


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
    environment = Environment(loader=PackageLoader("pages", "."), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("report.html").render(report=report)


def picture(image: Image.Image, box: Sequence[float], room: float = 0.3) -> str:
    """A face as a data URI: the box (left, top, right, bottom; pixels) with some room around it."""
    left, top, right, bottom = box
    side = max(right - left, bottom - top) * (1 + room)
    x, y = (left + right) / 2, (top + bottom) / 2
    around = (round(x - side / 2), round(y - side / 2), round(x + side / 2), round(y + side / 2))
    cut = image.convert("RGB").crop(around).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    cut.save(encoded, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode("ascii")
