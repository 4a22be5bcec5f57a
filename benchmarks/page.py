"""A contact sheet of 2,000 faces in a real browser: how soon it is there, and whether it stays smooth.

python -m benchmarks.page [--faces 2000]

Milliseconds until something is painted and until all cards are drawn; tasks of more than 50 ms (the browser's own
`longtask`, which people feel as a jerk) while the page is drawn, while it is scrolled from end to end, and while it is
filtered and sorted. The pictures are noise, which packs worse than faces do.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
from PIL import Image
from playwright.sync_api import Page

from benchmarks.rounds import save
from pages.contact_sheet import ContactSheet, Face, html
from tests.browser import browser
from udfs.vision.decode import Picture
from udfs.vision.thumbnails import face as cut

PERSONS = 200
_WATCH = """
window.long = [];
new PerformanceObserver(list => window.long.push(...list.getEntries().map(entry => entry.duration)))
  .observe({ type: "longtask", buffered: true });
"""


def picture(seed: int) -> bytes:
    """A picture of about 5 kB."""
    noise = np.random.default_rng(seed).integers(0, 255, (24, 24, 3), np.uint8)
    image = Image.fromarray(noise).resize((200, 200), Image.Resampling.BICUBIC)
    return cut(Picture(image, 200, 200, 1, None), (30.0, 30.0, 170.0, 170.0))


def sheet(count: int) -> ContactSheet:
    """Faces of many persons, a third of them of nobody."""
    faces = []
    for at in range(count):
        decision = ("match", "review", "unknown")[at % 3]
        person = f"person {at % PERSONS:03}"
        who = "" if decision == "unknown" else person
        faces.append(
            Face(
                face_id=f"f{at}",
                person_id=person,
                gallery_name="g",
                group=who or "unknown",
                named=bool(who),
                who=who,
                decision=decision,
                word=decision,
                score=0.95 - at / count / 1.2,
                threshold=0.54,
                review_threshold=0.45,
                facts=["2026-01-31 08:15:00 · gate", f"similarity 0.7312 to {person}", "second nearest: bea, 0.3121"],
                time=f"2026-01-31 {at % 24:02}:15:00",
                source=f"camera {at % 7}",
                case_id="",
                uri=f"s3://lake/cctv/2026-01-31/entrance/frame-{at:09}.jpg",
                image=f"frame-{at:09}.jpg",
                picture=f"f{at}",
                why="",
                other=person,
                other_picture=f"s{at % PERSONS}",
                other_why="",
            )
        )
    return ContactSheet("Rollcall, 2026-01-31", "All is well.", [], faces, [], [])


def longest(page: Page) -> dict[str, float]:
    """The tasks of more than 50 ms since the last time."""
    page.wait_for_timeout(300)
    found = page.evaluate("window.long.splice(0)")
    return {"tasks": len(found), "longest": round(max(found, default=0.0)), "together": round(sum(found))}


def until_drawn(page: Page, count: int) -> None:
    """Until all cards are there."""
    while page.evaluate("document.querySelectorAll('.face').length") < count:
        page.wait_for_timeout(20)


@click.command(help=__doc__)
@click.option("--data", hidden=True, help="Not needed; all benchmarks are called with it.")
@click.option("--faces", default=2000, show_default=True)
def main(data: str | None, faces: int) -> None:
    shown = sheet(faces)
    keys = {key for each in shown.faces for key in (each.picture, each.other_picture) if key}
    with TemporaryDirectory() as folder, browser() as chromium:
        path = Path(folder) / "page.html"
        path.write_text(html(shown, {key: picture(at) for at, key in enumerate(sorted(keys))}), encoding="utf-8")
        page = chromium.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(_WATCH)
        page.goto(path.as_uri())
        until_drawn(page, faces)
        drawn = page.evaluate("performance.now()")
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        figures: dict[str, object] = {
            "faces": faces,
            "megabytes": round(path.stat().st_size / 1e6, 1),
            "first_paint_ms": round(painted),
            "drawn_ms": round(drawn),
            "while_drawn": longest(page),
        }
        for _ in range(200):
            page.mouse.wheel(0, 900)
            page.wait_for_timeout(16)
        figures["while_scrolled"] = longest(page)
        page.get_by_label("Order").select_option("lowest")
        until_drawn(page, faces)
        figures["while_sorted"] = longest(page)
        page.get_by_label("Search in the faces").fill("person 1")
        page.wait_for_timeout(400)
        figures["while_filtered"] = longest(page)
    print(f"written to {save('page', figures)}")
    for name, value in figures.items():
        print(f"{name:16} {value}")
    print(
        f"page: first_paint_ms={figures['first_paint_ms']} drawn_ms={figures['drawn_ms']}"
        f" scroll_long_tasks={figures['while_scrolled']['tasks']}"  # type: ignore[index]
    )


if __name__ == "__main__":
    main()
