"""Faces as a contact sheet: one self-contained page that filters, sorts and takes decisions without a server."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from markupsafe import Markup

from pages.report import Headline, ReportTable
from pages.templates import rendered, text_of


@dataclass(frozen=True)
class Face:
    """One card: a face beside what it was found to be like.

    group: the heading under which it stands, and named: whether that is somebody. who: the person as people call them.
    word: the decision in words. facts: lines of text. picture, other_picture: keys of the two pictures, None where
    there is none; why, other_why: the reason. other: what stands under the second picture. time, source, image: when,
    by which camera and in which file it was seen, in words. score is what thresholds decide by; None without anybody
    near. weight: of how many faces it is one, under a heading the heaviest first.
    """

    face_id: str
    person_id: str
    gallery_name: str
    group: str
    named: bool
    who: str
    decision: str
    word: str
    score: float | None
    threshold: float | None
    review_threshold: float | None
    facts: Sequence[str]
    time: str
    source: str
    case_id: str
    uri: str
    image: str
    picture: str | None
    why: str
    other: str
    other_picture: str | None
    other_why: str
    weight: int = 0


@dataclass(frozen=True)
class ContactSheet:
    """What the page shows, from top to bottom.

    grouped_by: what the headings are that faces stand under.
    reviewable: whether decisions can be ticked, to be saved as the file that `rollcall review --decisions` reads.
    scores: a drawing of how many faces have which score. blackout: the page holds no picture of a face.
    """

    title: str
    lead: str
    headline: Sequence[Headline]
    faces: Sequence[Face]
    tables: Sequence[ReportTable]
    facts: Sequence[tuple[str, str]]
    grouped_by: str = "person"
    note: str = ""
    scores: Markup | None = None
    scores_note: str = ""
    reviewable: bool = True
    blackout: bool = False


def html(sheet: ContactSheet, pictures: Mapping[str, bytes]) -> str:
    """The page. All text is escaped: names of persons and files come from outside.

    pictures: JPEG files by key; none where the sheet is blacked out.
    """
    shown = {} if sheet.blackout else pictures
    number = {key: f"p{at}" for at, key in enumerate(shown)}
    rows = [
        {**asdict(face), **{side: number.get(getattr(face, side)) for side in ("picture", "other_picture")}}
        for face in sheet.faces
    ]
    return rendered(
        "contact_sheet.html",
        sheet=sheet,
        style=Markup(text_of("contact_sheet.css")),
        script=Markup(text_of("contact_sheet.js")),
        data=Markup(_inert({"faces": rows, "reviewable": sheet.reviewable})),
        pictures=[(number[key], base64.b64encode(content).decode("ascii")) for key, content in shown.items()],
    )


def _inert(document: object) -> str:
    """JSON that ends no script and begins no comment, whatever is in it."""
    text = json.dumps(document, ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


_KINDS = ("match", "review", "unknown", "too_small")
_WIDTH, _HEIGHT, _FOOT = 960, 190, 24
_LABEL = 100
"""Of a threshold: as wide as its name is, about."""


def score_histogram(
    counts: Mapping[tuple[str, int], int], bins: int, marks: Sequence[tuple[str, float]]
) -> Markup | None:
    """How many faces have which score, stacked by decision; None without any.

    counts: by decision and bin; bin b of `bins` begins at b / bins, and lower scores are in bin 0. marks: thresholds,
    by name.
    """
    total = [sum(counts.get((kind, at), 0) for kind in _KINDS) for at in range(bins)]
    highest = max(total, default=0)
    if not highest:
        return None
    width = _WIDTH / bins
    drawn = []
    for at in range(bins):
        top = float(_HEIGHT)
        for kind in _KINDS:
            count = counts.get((kind, at), 0)
            if count:
                height = count / highest * (_HEIGHT - 10)
                top -= height
                drawn.append(
                    f'<rect class="{kind}" fill="currentColor" x="{at * width:.1f}" y="{top:.1f}"'
                    f' width="{width - 1:.1f}" height="{height:.1f}"><title>{count:,} {kind.replace("_", " ")}, from'
                    f" {at / bins:.2f}</title></rect>"
                )
    for at, (name, value) in enumerate(sorted(marks, key=lambda mark: -mark[1])):
        x = max(0.0, min(1.0, value)) * _WIDTH
        # The highest to the right of its line, the others to the left of theirs: they may be close to each other.
        label = f'x="{x + 4:.1f}"' if at == 0 and x < _WIDTH - _LABEL else f'x="{x - 4:.1f}" text-anchor="end"'
        drawn.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{_HEIGHT}" stroke="currentColor" stroke-dasharray="4 3"/>'
        )
        drawn.append(f'<text {label} y="11" font-size="12" fill="currentColor">{Markup.escape(name)}</text>')
    for tenth in range(0, 11, 2):
        anchor = "start" if tenth == 0 else "end" if tenth == 10 else "middle"
        drawn.append(
            f'<text x="{tenth / 10 * _WIDTH:.0f}" y="{_HEIGHT + 16}" font-size="12" fill="currentColor"'
            f' text-anchor="{anchor}">{tenth / 10:g}</text>'
        )
    return Markup(
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT}" role="img" aria-label="Faces by score">{"".join(drawn)}</svg>'
    )
