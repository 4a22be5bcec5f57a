"""Why an investigation has found a face."""

import re
from datetime import date
from pathlib import Path

import pytest

from jobs.explain import explain
from jobs.identify import identify
from jobs.investigations.explained import Explained
from jobs.investigations.explained_finding import explained_finding
from jobs.run.context import Context
from jobs.search import search
from tests.jobs.investigations.test_explain import face_in
from tests.rows import put
from tests.support import DAYS, MakeContext, copied
from udfs.errors import InputError
from udfs.vision.contract import contract

pytestmark = pytest.mark.slow

DAY = date.fromisoformat(DAYS[0])


@pytest.fixture(scope="module")
def investigated(made: MakeContext, undisturbed: Context, lake: Path) -> Context:
    """One investigation of each kind, and one of a folder of photos."""
    context = copied(made, undisturbed, "investigated_and_explained")
    search(context, photo=str(lake / DAYS[0] / "speech.jpg"), k=5, investigation="photo")
    search(context, face_id=face_in(context, "speech.jpg"), k=5, investigation="face")
    search(context, person="barack_obama", k=9, investigation="person")
    search(context, photo=str(lake / DAYS[0]), k=9, investigation="folder")
    identify(context, run_date=DAY, k=3, investigation="gallery")
    return context


def taken_apart(context: Context, name: str, image: str, asked: str | None = None) -> Explained:
    agreed = contract(context.settings.spec())
    return explained_finding(context, name, face_in(context, image), asked, None, agreed)


def test_a_photo_is_the_other_of_the_pair(investigated: Context, lake: Path) -> None:
    found = taken_apart(investigated, "photo", "edge_left.jpg")
    assert not found.of_person
    assert found.carrying.row["uri"].endswith("/speech.jpg")
    assert found.carrying.row["box"] == found.carrying.face["box"]  # type: ignore[index]
    assert found.decided.score == found.decided.similarity == found.carrying.similarity
    assert (found.others, found.stranger, len(found.samples)) == ([], None, 1)
    assert found.found is not None
    assert (found.found.asked, found.found.searched, found.found.strangers) == ("speech.jpg", 9, None)


def test_a_face_of_the_lake_is_the_other_of_the_pair(investigated: Context) -> None:
    found = taken_apart(investigated, "face", "speech_32bit.png")
    asked = face_in(investigated, "speech.jpg")
    assert found.carrying.row["sample_id"] == asked
    assert found.carrying.image_id == found.carrying.face["image_id"]  # type: ignore[index]
    assert found.decided.decision == "match"


def test_a_person_rests_on_the_sample_that_was_nearest(investigated: Context) -> None:
    found = taken_apart(investigated, "person", "speech.jpg")
    assert found.of_person
    assert len(found.samples) > 1
    assert found.carrying.similarity == found.decided.similarity == max(each.similarity for each in found.samples)
    decided, person, score = found.without_carrying()
    assert (person, score) == ("barack_obama", found.samples[1].similarity)
    assert decided in ("match", "review", "unknown")
    assert found.stranger is not None


def test_of_several_questions_the_most_similar_or_the_one_that_is_named(investigated: Context) -> None:
    found = taken_apart(investigated, "folder", "speech.jpg")
    assert found.decided.similarity == pytest.approx(1)
    assert found.others
    other = found.others[-1].person_id
    named = taken_apart(investigated, "folder", "speech.jpg", other)
    assert named.found is not None
    assert named.found.asked == other
    assert named.decided.similarity == found.others[-1].similarity
    with pytest.raises(InputError, match=r"has found this face for .*, and not for 'nobody'"):
        taken_apart(investigated, "folder", "speech.jpg", "nobody")


def test_the_nearest_person_of_another_question_to_a_gallery(investigated: Context) -> None:
    found = taken_apart(investigated, "gallery", "speech.jpg")
    night = investigated.tables.read("identifications").where(f"face_id = '{found.decided.face_id}'").first()
    assert night is not None
    for name in ("person_id", "sample_id", "similarity", "score", "decision", "threshold", "threshold_id"):
        assert found.decided[name] == night[name]
    assert found.others[0].person_id == night.runner_up_person_id
    second = taken_apart(investigated, "gallery", "speech.jpg", night.runner_up_person_id)
    assert (second.decided.decision, second.found.decision) == ("unknown", "match")  # type: ignore[union-attr]


def test_a_withdrawn_photo_is_still_what_the_finding_rests_on(made: MakeContext, investigated: Context) -> None:
    context = copied(made, investigated, "withdrawn_and_explained")
    before = taken_apart(context, "gallery", "speech.jpg")
    sample_id = before.carrying.row["sample_id"]
    place = f"delta.`{context.tables.root}/gallery`"
    context.spark.sql(f"UPDATE {place} SET withdrawn_at = current_timestamp() WHERE sample_id = '{sample_id}'")
    after = taken_apart(context, "gallery", "speech.jpg")
    assert (after.carrying.row["sample_id"], after.carrying.in_force) == (sample_id, False)
    assert after.without_carrying() == before.without_carrying()
    context.spark.sql(f"DELETE FROM {place} WHERE sample_id = '{sample_id}'")
    with pytest.raises(InputError, match="the photo of barack_obama that this finding rests on is not kept any more"):
        taken_apart(context, "gallery", "speech.jpg")


def test_strangers_and_thresholds_are_those_in_force(made: MakeContext, investigated: Context) -> None:
    context = copied(made, investigated, "calibrated_and_explained")
    contract_id = contract(context.settings.spec()).contract_id
    rates = [{"similarity": -1.0, "rate": 1.0}, {"similarity": 1.0, "rate": 0.01}]
    pairs = {"protocol": "pairs", "gallery_size": None, "threshold": 0.999, "intercept": 0.0, "slope": 1.0}
    put(context, "thresholds", {"threshold_id": "t", "contract_id": contract_id, "stranger_rates": rates, **pairs})
    found = taken_apart(context, "photo", "edge_left.jpg")
    assert found.found is not None
    assert found.found.strangers == pytest.approx(9 * 10 ** -(found.decided.similarity + 1))
    assert not found.found.noted
    assert (found.decided.threshold_id, found.decided.threshold) == ("t", 0.999)
    assert found.decided.decision != "match"


@pytest.mark.parametrize(
    ("name", "image", "said"),
    [
        ("photo", "speech_32bit.png", ("Why speech.jpg found this face", "the face that was asked with", "for pairs")),
        (
            "person",
            "speech.jpg",
            ("Why barack_obama found", "The registered photos of", "The stranger who"),
        ),
        ("gallery", "astronaut.png", ("by the investigation gallery", "Who else it might be", "for this gallery")),
    ],
)
def test_the_page(investigated: Context, tmp_path: Path, name: str, image: str, said: tuple[str, ...]) -> None:
    page = tmp_path / "why.html"
    explain(investigated, face_id=face_in(investigated, image), investigation=name, output=page, no_maps=True)
    text = page.read_text("utf-8")
    for words in (*said, "is not known: nothing has been calibrated", "Findings keep no thresholds", "Convolution"):
        assert words in text
    assert ("The registered photos of this person" in text) == (name != "photo")
    assert re.findall(r'(?:src|href)="(?!#|data:)', text) == []


def test_maps_of_a_finding_are_put_to_the_test(investigated: Context, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    explain(investigated, face_id=face_in(investigated, "speech_32bit.png"), investigation="face", output=page)
    text = page.read_text("utf-8")
    assert len(re.findall(r"The similarity falls (sooner|no sooner) than by chance", text)) == 2
    assert text.count('class="picture"') == 2
    assert "no picture" not in text


def test_what_cannot_be_explained_is_said(made: MakeContext, investigated: Context, tmp_path: Path) -> None:
    page, face_id = tmp_path / "why.html", face_in(investigated, "speech.jpg")
    for given, told in (
        ({"investigation": "x"}, "there is no investigation 'x'; there are 'face', 'folder', 'gallery'"),
        (
            {"investigation": "face"},
            "'face' has not found face .*; take its id from investigation_findings",
        ),
        ({"asked": "x"}, "--asked is for --investigation NAME"),
    ):
        with pytest.raises(InputError, match=told):
            explain(investigated, face_id=face_id, output=page, **given)
    other = made("investigated_and_explained", "vision.detector=centerface")
    with pytest.raises(InputError, match="explain it with the settings that it was embedded with"):
        explain(other, face_id=face_id, investigation="photo", output=page)
    assert not page.exists()


def test_a_photo_that_has_changed_is_said(made: MakeContext, undisturbed: Context, lake: Path, tmp_path: Path) -> None:
    context = copied(made, undisturbed, "changed_and_explained")
    photo = tmp_path / "asked.jpg"
    photo.write_bytes((lake / DAYS[0] / "speech.jpg").read_bytes())
    search(context, photo=str(photo), k=1, investigation="photo")
    photo.write_bytes((lake / DAYS[0] / "lying_on_its_side.jpg").read_bytes())
    found = context.tables.read("findings").first()
    assert found is not None
    with pytest.raises(InputError, match=r"is 0\.\d+ similar to face .* now, and was 1\.000: the photo .* has changed"):
        explained_finding(context, "photo", found.face_id, None, None, contract(context.settings.spec()))
