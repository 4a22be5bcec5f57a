"""The contact sheet as people use it, in a real browser."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from pages.contact_sheet import ContactSheet, Face, html, score_histogram
from pages.report import Headline, ReportTable

HOSTILE = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> & \"sons\""
PERSONS = ("ann", "ben", "cleo")


def face(at: int, **values: object) -> Face:
    """One of many: match, review and unknown in turn."""
    decision = ("match", "review", "unknown")[at % 3]
    person = PERSONS[at % 3 if at % 2 else 0]
    who = "" if decision == "unknown" else person
    made = Face(
        face_id=f"f{at:04}",
        person_id=person,
        gallery_name="g",
        group=who or "unknown",
        named=bool(who),
        who=who,
        decision=decision,
        word=decision,
        score=0.9 - at / 5000,
        threshold=0.5,
        review_threshold=0.4,
        facts=[f"similarity {0.9 - at / 5000:.4f} to {person}"],
        time=f"2026-01-31 {at % 24:02}:00:00",
        source=("gate", "hall")[at % 2],
        case_id="",
        uri=f"file:///lake/{at:04}.jpg",
        image=f"{at:04}.jpg",
        picture=f"f{at:04}",
        why="",
        other=person,
        other_picture=f"s-{person}",
        other_why="",
    )
    return replace(made, **values)


def jpeg(seed: int) -> bytes:
    encoded = io.BytesIO()
    noise = np.random.default_rng(seed).integers(0, 255, (20, 20, 3), np.uint8)
    Image.fromarray(noise).resize((160, 160)).save(encoded, "JPEG", quality=80)
    return encoded.getvalue()


def sheet(faces: list[Face], **values: object) -> ContactSheet:
    made = ContactSheet(
        title="Rollcall, 2026-01-31",
        lead="All is well.",
        headline=[Headline("faces", f"{len(faces):,}")],
        faces=faces,
        tables=[ReportTable("Rejected images", ("reason", "image"), [("truncated", "a.jpg")])],
        facts=[("tables", "/tables")],
    )
    return replace(made, **values)


Open = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a sheet in a window of its own; in the end nothing may have gone wrong in it, and nothing been asked for."""
    contexts, said, asked = [], [], []

    def of(shown: ContactSheet, **options: object) -> Page:
        keys = {key for each in shown.faces for key in (each.picture, each.other_picture) if key}
        path = tmp_path / "page.html"
        path.write_text(html(shown, {key: jpeg(at) for at, key in enumerate(sorted(keys))}), encoding="utf-8")
        contexts.append(chromium.new_context(**options))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield of
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("data:", tmp_path.as_uri()))] == []


def until(page: Page, condition: str) -> None:
    """Wait for an expression of JavaScript. The page lets no text be run, as Playwright's own waiting would have it."""
    for _ in range(500):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise AssertionError(f"never: {condition}")


def names(page: Page) -> list[str]:
    """The files of the faces that are shown, in their order."""
    page.wait_for_timeout(50)
    return page.locator(".face .pair figure:first-child figcaption").all_text_contents()


def test_faces_stand_under_their_persons_and_unknown_ones_last(opened: Open) -> None:
    page = opened(sheet([face(at) for at in range(12)]))
    headings = page.locator("main h2").all_text_contents()
    assert headings[-1] == "unknown4"
    assert headings[:-1] == sorted(headings[:-1])
    assert page.locator(".face").count() == 12
    assert page.locator("#shown").text_content() == "12 faces"


def test_the_heaviest_stand_first(opened: Open) -> None:
    cards = [face(at, group="seen on one day", named=True, weight=at % 97, score=None) for at in range(500)]
    page = opened(sheet(cards, grouped_by="size", reviewable=False))
    weight = {card.image: card.weight for card in cards}
    shown = [weight[name] for name in names(page)]
    assert shown == sorted(shown, reverse=True)


def test_filter_search_and_sort(opened: Open) -> None:
    page = opened(sheet([face(at) for at in range(30)]))
    page.get_by_role("button", name="unknown 10").click()
    assert names(page) == [f"{at:04}.jpg" for at in range(2, 30, 3)]
    assert page.locator("#shown").text_content() == "10 of 30 faces"
    page.get_by_label("Source", exact=True).select_option("hall")
    assert names(page) == [f"{at:04}.jpg" for at in range(5, 30, 6)]
    page.get_by_label("Order").select_option("lowest")
    assert names(page) == [f"{at:04}.jpg" for at in range(29, 2, -6)]
    assert page.locator("main h2").count() == 0
    page.get_by_label("Search in the faces").fill("0011 hall")
    until(page, "document.querySelectorAll('.face').length === 1")
    assert names(page) == ["0011.jpg"]
    page.get_by_label("Search in the faces").fill("nothing like it")
    page.wait_for_selector(".none")
    assert page.locator(".none").text_content() == "No face fits. Clear the search or choose another decision."


@pytest.mark.parametrize(("sort", "first"), [("highest", 0), ("time", 0), ("nearest", 29), ("lowest", 29)])
def test_orders(opened: Open, sort: str, first: int) -> None:
    page = opened(sheet([face(at) for at in range(30)]))
    page.get_by_label("Order").select_option(sort)
    assert names(page)[0] == f"{first:04}.jpg"


def test_decisions_are_saved_as_the_file_that_review_reads(opened: Open) -> None:
    awkward = face(1, person_id='o"hara, ann', gallery_name="=1+1,b")
    page = opened(sheet([face(0), awkward, face(2, person_id="")]))
    assert page.locator("#export").is_disabled()
    assert page.locator(".say").count() == 2, "nobody is near the third, so there is nothing to confirm"
    page.locator(".face").nth(0).get_by_role("button", name="Confirm").click()
    page.locator(".face").nth(1).get_by_role("button", name="Reject").click()
    page.locator(".face").nth(1).get_by_role("button", name="Unsure").click()
    page.get_by_label("Your name").fill("Eve")
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Save 2 decisions").click()
    with Path(downloading.value.path()).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert downloading.value.suggested_filename == "decisions.csv"
    same = {"gallery_name": "g", "reviewed_by": "Eve"}
    assert {"face_id": "f0000", "person_id": "ann", "decision": "confirm", **same} in rows
    assert {
        "face_id": "f0001",
        "person_id": 'o"hara, ann',
        "decision": "unsure",
        "gallery_name": "'=1+1,b",
        "reviewed_by": "Eve",
    } in rows
    assert len(rows) == 2


def test_keys(opened: Open) -> None:
    page = opened(sheet([face(at) for at in range(6)]))
    here = "document.activeElement.querySelector?.('figcaption')?.textContent"
    page.keyboard.press("j")
    first = page.evaluate(here)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(here) == names(page)[1] != first
    page.keyboard.press("k")
    assert page.evaluate(here) == first
    page.keyboard.press("c")
    pressed = page.locator("[data-say=confirm][aria-pressed=true]")
    assert pressed.count() == 1
    page.keyboard.press("c")
    assert pressed.count() == 0
    page.keyboard.press("/")
    page.keyboard.type("xc")
    assert page.get_by_label("Search in the faces").input_value() == "xc"
    assert pressed.count() == 0, "what is typed there is no decision"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.locator("dialog").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()


def test_what_is_hostile_comes_out_as_text(opened: Open) -> None:
    named = dict.fromkeys(("person_id", "group", "who", "word", "source", "uri", "image", "other", "why"), HOSTILE)
    hostile = face(1, **named, facts=[HOSTILE], picture=None)
    shown = sheet(
        [hostile, face(0)],
        title=HOSTILE,
        lead=HOSTILE,
        headline=[Headline(HOSTILE, HOSTILE)],
        tables=[ReportTable(HOSTILE, (HOSTILE,), [(HOSTILE,)], note=HOSTILE)],
        facts=[(HOSTILE, HOSTILE)],
        note=HOSTILE,
        scores=score_histogram({("match", 3): 2}, 10, [(HOSTILE, 0.5)]),
        scores_note=HOSTILE,
    )
    page = opened(shown)
    assert page.locator(".face").count() == 2
    page.get_by_label("Order").select_option("highest")
    assert page.evaluate("window.hacked") is None
    assert page.locator("h1").text_content() == HOSTILE
    assert page.locator(".face b").filter(has_text="script").text_content() == HOSTILE
    assert page.locator("img[onerror]").count() == 0


def test_nothing_of_a_face_is_in_a_blacked_out_page(opened: Open) -> None:
    page = opened(sheet([face(at) for at in range(3)], blackout=True))
    assert page.locator(".face").count() == 3
    assert page.locator("main img").count() == 0
    assert "/9j/" not in page.content(), "how a JPEG begins"


def test_faces_can_be_hidden_from_who_looks_over_a_shoulder(opened: Open) -> None:
    page = opened(sheet([face(0)]))
    assert page.locator("main img").first.is_visible()
    page.get_by_role("button", name="Hide faces").click()
    assert not page.locator("main img").first.is_visible()
    page.get_by_role("button", name="Hide faces").click()
    assert page.locator("main img").first.is_visible()


def test_thousands_of_faces_are_drawn_and_their_pictures_wait(opened: Open) -> None:
    page = opened(sheet([face(at) for at in range(2000)]), viewport={"width": 1280, "height": 900})
    until(page, "document.querySelectorAll('.face').length === 2000")
    waiting = page.locator("img[data-key]").count()
    assert waiting > 3000
    page.evaluate("window.scrollTo(0, document.body.scrollHeight / 2)")
    until(page, f"document.querySelectorAll('img[data-key]').length < {waiting}")


def test_all_pictures_are_printed(opened: Open) -> None:
    page = opened(sheet([face(at) for at in range(200)]))
    assert page.locator("img[data-key]").count() > 100
    printed = page.pdf(format="A4")
    assert printed.startswith(b"%PDF")
    assert page.locator("img[data-key]").count() == 0
    assert page.locator(".face").count() == 200


def test_dark_and_narrow(opened: Open) -> None:
    faces = [face(at, image="a-file-with-a-very-long-name" * 5, uri="file:///" + "lake/" * 60) for at in range(6)]
    ground = "getComputedStyle(document.body).backgroundColor"
    bright = opened(sheet(faces), viewport={"width": 390, "height": 844}, color_scheme="light")
    dark = opened(sheet(faces), viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert sum(map(int, re.findall(r"\d+", bright.evaluate(ground)))) > 600
    assert sum(map(int, re.findall(r"\d+", dark.evaluate(ground)))) < 150
    assert bright.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_page_without_faces(opened: Open) -> None:
    page = opened(sheet([]))
    assert page.locator(".none").text_content() == "There are no faces to show."


def test_scores_are_drawn_by_decision() -> None:
    assert score_histogram({}, 10, []) is None
    drawn = score_histogram({("match", 9): 4, ("review", 9): 4, ("unknown", 0): 2}, 10, [("match from 0.5", 0.5)])
    assert drawn is not None
    assert re.findall(r'class="(\w+)"', drawn) == ["unknown", "match", "review"]
    assert drawn.count("<line") == 1
