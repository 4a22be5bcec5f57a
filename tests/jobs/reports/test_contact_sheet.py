"""Contact sheets of a date, a person and an investigation: what is on them."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from jobs.report import report
from jobs.review import review
from jobs.run.context import Context
from jobs.search import search
from jobs.summary import summary
from tests.rows import NOW, put, put_images
from tests.support import DAYS, MakeContext, copied
from udfs.errors import InputError

DAY = date.fromisoformat(DAYS[0])


@pytest.fixture(scope="module")
def identified(made: MakeContext, undisturbed: Context) -> Context:
    return copied(made, undisturbed, "reported")


def faces_on(page: Path) -> list[dict[str, object]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"))
    assert found is not None
    faces: list[dict[str, object]] = json.loads(found[1])["faces"]
    return faces


@pytest.mark.slow
def test_the_page_on_a_date_has_every_face_and_every_rejected_image(identified: Context, tmp_path: Path) -> None:
    page = tmp_path / "new" / "page.html"
    summary(identified, run_date=DAY, output=page)
    faces = faces_on(page)
    decided = {row.face_id: row for row in identified.tables.read("identifications").collect()}
    assert {face["face_id"] for face in faces} == set(decided)
    for face in faces:
        row = decided[str(face["face_id"])]
        assert (face["decision"], face["score"], face["threshold"]) == (row.decision, row.score, row.threshold)
        assert face["person_id"] == row.person_id
        assert face["picture"] is not None
        assert face["other_picture"] is not None
        assert face["who"] == (row.person_id if row.decision in ("match", "review") else "")
    samples = {face["other_picture"] for face in faces}
    assert len(samples) == len({row.sample_id for row in decided.values()}), "each sample is in the page once"
    text = page.read_text("utf-8")
    for said in ("truncated", "not_an_image", "cut_off.jpg", "notes.jpg", "<svg", "match from"):
        assert said in text
    assert text.count('type="text/plain"') == len(decided) + len(samples)
    other = tmp_path / "report.html"
    report(identified, run_date=DAY, output=other)
    assert faces_on(other) == faces


def test_only_so_many_faces_the_most_certain_first(identified: Context, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    report(identified, run_date=DAY, output=page, limit=2)
    total = identified.tables.read("identifications").count()
    assert [face["decision"] for face in faces_on(page)] == ["match", "match"]
    assert f"The 2 most certain of {total} faces are shown." in page.read_text("utf-8")


@pytest.mark.slow
def test_no_picture_is_cut_for_a_blacked_out_page(identified: Context, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    report(identified, run_date=DAY, output=page, blackout=True)
    assert {face["picture"] for face in faces_on(page)} == {None}
    assert "/9j/" not in page.read_text("utf-8")


@pytest.mark.slow
def test_the_page_on_a_person_follows_reviews(made: MakeContext, identified: Context, tmp_path: Path) -> None:
    context, page = copied(made, identified, "person"), tmp_path / "page.html"
    report(context, person="barack_obama", output=page)
    faces = faces_on(page)
    assert {face["person_id"] for face in faces} == {"barack_obama"}
    assert {face["group"] for face in faces} == {DAYS[0]}
    first = str(faces[0]["face_id"])
    review(context, face_id=first, person_id="barack_obama", decision="reject", reviewed_by="eve")
    report(context, person="barack_obama", output=page)
    (rejected,) = (face for face in faces_on(page) if face["face_id"] == first)
    assert "reviewed: rejected" in rejected["facts"]  # type: ignore[operator]
    with pytest.raises(InputError, match="no face was found to show 'nobody'"):
        report(context, person="nobody", output=page)


@pytest.mark.slow
def test_the_page_on_an_investigation(made: MakeContext, identified: Context, lake: Path, tmp_path: Path) -> None:
    context, page = copied(made, identified, "investigated_page"), tmp_path / "page.html"
    photo = str(lake / DAYS[0] / "group.jpg")
    search(context, photo=photo, number=0, k=2, investigation="gate 3", purpose="case <7>", asked_by="eve")
    report(context, investigation="gate 3", output=page)
    faces = faces_on(page)
    assert [face["group"] for face in faces] == [f"group.jpg face {at}" for at in (1, 1, 2, 2, 3, 3)]
    assert len({face["other_picture"] for face in faces}) == 3
    assert "case &lt;7&gt;" in page.read_text("utf-8")
    with pytest.raises(InputError, match="there is no investigation 'gate 4'; there are 'gate 3'"):
        report(context, investigation="gate 4", output=page)


@pytest.mark.slow
def test_an_image_that_has_gone_is_said_and_the_rest_is_shown(
    made: MakeContext, identified: Context, tmp_path: Path
) -> None:
    context, page = copied(made, identified, "moved"), tmp_path / "page.html"
    images = context.tables.read("images")
    speech = images.where("uri LIKE '%/speech.jpg'").first()
    assert speech is not None
    moved = images.where("uri LIKE '%/speech.jpg'").selectExpr(
        *[name if name != "uri" else "concat(uri, '.moved') AS uri" for name in images.columns]
    )
    context.tables.update("images", moved)
    report(context, run_date=DAY, output=page)
    faces = faces_on(page)
    (gone,) = (face for face in faces if face["picture"] is None)
    assert str(gone["why"]).startswith("gone")
    assert len(faces) > 5


def test_what_is_not_there_is_said(identified: Context, make_context: MakeContext, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    with pytest.raises(InputError, match="has no images of 2020-01-01; run `rollcall ingest` for it first"):
        report(identified, run_date=date(2020, 1, 1), output=page)
    with pytest.raises(InputError, match="say what to show"):
        report(identified, output=page)
    with pytest.raises(InputError, match="`rollcall search --investigation` and `rollcall identify"):
        report(identified, investigation="x", output=page)
    assert not page.exists()
    context = make_context("young")
    put_images(context, [None, None], day=DAY)
    put(context, "runs", {"event": "finished", "at": NOW, "seconds": 1.0})
    report(context, run_date=DAY, output=page)
    assert faces_on(page) == []
