"""Why a face was decided as it was."""

import re
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from jobs.explain import explain
from jobs.investigations.explained import explained
from jobs.run.context import Context
from tests.support import MakeContext, copied
from udfs.errors import InputError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def identified(made: MakeContext, undisturbed: Context) -> Context:
    return copied(made, undisturbed, "explained")


def face_in(context: Context, image: str) -> str:
    faces = context.tables.read("faces").join(context.tables.read("images"), "image_id")
    row = faces.where(F.col("uri").endswith(f"/{image}")).orderBy("ordinal").first()
    assert row is not None
    return str(row.face_id)


def test_a_decision_is_taken_apart(identified: Context) -> None:
    found = explained(identified, face_in(identified, "speech.jpg"), None)
    decided = found.decided
    assert decided.person_id == "barack_obama"
    assert found.carrying.row["sample_id"] == decided.sample_id
    assert found.carrying.similarity == decided.similarity
    assert [sample.similarity for sample in found.samples] == sorted(
        (sample.similarity for sample in found.samples), reverse=True
    )
    assert found.others[0].person_id == decided.runner_up_person_id
    assert found.others[0].similarity == pytest.approx(decided.similarity - decided.margin)
    decision, person, score = found.without_carrying()
    own = found.samples[1].similarity
    assert (person, score) == max((own, "barack_obama"), (found.others[0].similarity, found.others[0].person_id))[::-1]
    assert decision == (
        "match" if own >= decided.threshold else "review" if own >= decided.review_threshold else "unknown"
    )


def test_a_person_with_one_photo_rests_on_it(identified: Context) -> None:
    found = explained(identified, face_in(identified, "lying_on_its_side.jpg"), None)
    assert len(found.samples) == 1
    _, person, score = found.without_carrying()
    assert person == found.others[0].person_id
    assert score == found.others[0].similarity


def test_the_stranger_was_not_taken_for_the_person(identified: Context) -> None:
    found = explained(identified, face_in(identified, "speech.jpg"), None)
    assert found.stranger is not None
    taken = identified.tables.read("identifications").where("decision IN ('match', 'review')")
    persons = {row.face_id: row.person_id for row in taken.collect()}
    assert persons.get(found.stranger.face_id) != "barack_obama"


def test_the_page(identified: Context, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    explain(identified, face_id=face_in(identified, "astronaut.png"), output=page, no_maps=True)
    text = page.read_text("utf-8")
    for said in ("Why unknown", "The registered photos of this person", "Convolution", "Pooling", "The stranger who"):
        assert said in text
    assert "Occlusion" not in text
    assert re.findall(r'(?:src|href)="(?!#|data:)', text) == []


def test_maps_are_put_to_the_test(identified: Context, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    explain(identified, face_id=face_in(identified, "speech.jpg"), output=page)
    text = page.read_text("utf-8")
    assert "Why match: barack_obama" in text
    assert len(re.findall(r"The similarity falls (sooner|no sooner) than by chance", text)) == 2


def test_what_cannot_be_explained_is_said(made: MakeContext, identified: Context, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    with pytest.raises(InputError, match="no face 'x' has been identified; take its id from face_decisions"):
        explain(identified, face_id="x", output=page)
    with pytest.raises(InputError, match="was not compared with gallery 'other', but with people"):
        explain(identified, face_id=face_in(identified, "speech.jpg"), gallery_name="other", output=page)
    other = made("explained", "vision.detector=centerface")
    with pytest.raises(InputError, match="explain it with the settings that it was embedded with"):
        explain(other, face_id=face_in(identified, "speech.jpg"), output=page)
    assert not page.exists()
