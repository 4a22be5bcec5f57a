"""Where else a face was seen: by a photo, by a face of the lake, by a registered person."""

import json
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from jobs.investigations.findings import Finding
from jobs.run.context import Context
from jobs.search import search
from tests.rows import put
from tests.support import DAYS, MakeContext, assert_same_tables, copied, forget_names
from udfs import lake as lakes
from udfs.errors import InputError


@pytest.fixture(scope="module")
def seen(made: MakeContext, undisturbed: Context) -> Context:
    """A date that was embedded and identified, which nothing of a night changes."""
    return copied(made, undisturbed, "searched")


@pytest.fixture(scope="module")
def photos(lake: Path) -> Path:
    return lake / DAYS[0]


def found(context: Context, **asked: object) -> list[Finding]:
    return search(context, **asked).findings


def images(findings: list[Finding]) -> list[str]:
    return [finding.uri.rpartition("/")[2] for finding in findings]


def test_a_photo_finds_itself_and_the_others_of_the_person(seen: Context, photos: Path) -> None:
    answer = search(seen, photo=str(photos / "speech.jpg"), k=4)
    assert [finding.rank for finding in answer.findings] == [1, 2, 3, 4]
    first, second = answer.findings[:2]
    assert first.similarity == pytest.approx(1)
    assert {images([first])[0], images([second])[0]} == {"speech.jpg", "speech_32bit.png"}
    assert (first.person_id, first.decision, first.strangers) == ("barack_obama", "match", None)
    assert answer.searched == seen.tables.read("faces").count()
    assert not answer.calibrated


def test_who_else_is_in_the_image(seen: Context, photos: Path) -> None:
    (one,) = found(seen, photo=str(photos / "group.jpg"), number=1, k=1)
    assert (one.others, one.faces_in_image) == (["barack_obama"], 3)
    assert one.person_id == "joe_biden"


def test_a_face_of_the_lake_does_not_find_itself(seen: Context) -> None:
    faces = seen.tables.read("faces").join(seen.tables.read("images"), "image_id")
    row = faces.where(F.col("uri").endswith("/speech.jpg")).first()
    assert row is not None
    answer = search(seen, face_id=row.face_id, k=100)
    assert row.face_id not in {finding.face_id for finding in answer.findings}
    assert len(answer.findings) == answer.searched - 1
    assert images(answer.findings[:1]) == ["speech_32bit.png"]


def test_a_person_is_one_question_with_all_samples(seen: Context) -> None:
    answer = search(seen, person="barack_obama", k=3)
    samples = seen.tables.read("gallery").where("person_id = 'barack_obama'").count()
    assert samples > 1
    assert len(answer.asked.faces) == samples
    assert [finding.asked for finding in answer.findings] == ["barack_obama"] * 3
    assert len({finding.face_id for finding in answer.findings}) == 3


def test_a_folder_asks_with_every_face(seen: Context, photos: Path) -> None:
    answer = search(seen, photo=str(photos), k=1)
    names = [finding.asked for finding in answer.findings]
    assert "group.jpg face 3" in names
    assert "speech.jpg" in names
    assert not any("rocket" in name for name in names)
    assert [finding.similarity for finding in answer.findings] == pytest.approx([1] * len(names))


def test_only_what_is_in_scope(seen: Context, photos: Path) -> None:
    photo = str(photos / "speech.jpg")
    assert found(seen, photo=photo, first=date(2026, 2, 1)) == []
    assert len(found(seen, photo=photo, last=date.fromisoformat(DAYS[0]), k=2)) == 2
    with pytest.raises(InputError, match="no image has the source 'gate'; the table images has what there is"):
        search(seen, photo=photo, source="gate")


@pytest.mark.slow
def test_an_investigation_is_kept_and_nights_are_not_touched(
    made: MakeContext, seen: Context, undisturbed: Context, photos: Path
) -> None:
    context = copied(made, seen, "investigated")
    photo = str(photos / "speech.jpg")
    answer = search(context, photo=photo, k=2, investigation="gate 3", purpose="a try", asked_by="eve", for_case="7")
    (row,) = context.tables.read("investigations").collect()
    assert (row.kind, row.asked_by, row.purpose, row.case_id) == ("search", "eve", "a try", "7")
    assert row.question == {"photo": photo, "k": "2"}
    assert (row.searched, row.findings) == (answer.searched, 2)
    assert set(row.digests) == {"contract", "faces", "photos"}
    findings = context.tables.read("findings").orderBy("rank").collect()
    assert [(row.face_id, row.similarity) for row in findings] == [
        (of.face_id, of.similarity) for of in answer.findings
    ]
    with pytest.raises(
        InputError, match=r"there is an investigation 'gate 3', of eve at .*; give this one another name"
    ):
        search(context, photo=photo, investigation="gate 3")
    assert_same_tables(context, undisturbed, "faces", "identifications", "matches", "searches", "images")


@pytest.mark.slow
def test_strangers_are_those_of_the_calibration(made: MakeContext, seen: Context, photos: Path) -> None:
    context = copied(made, seen, "calibrated")
    contract = context.tables.read("contracts").first()
    assert contract is not None
    rates = [{"similarity": -1.0, "rate": 1.0}, {"similarity": 1.0, "rate": 0.01}]
    put(context, "thresholds", {"threshold_id": "t", "contract_id": contract.contract_id, "stranger_rates": rates})
    answer = search(context, photo=str(photos / "speech.jpg"), k=100)
    assert answer.calibrated
    for finding in answer.findings:
        assert finding.strangers == pytest.approx(answer.searched * 10 ** -(finding.similarity + 1))


def test_what_is_printed(seen: Context, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    search(seen, photo=str(photos / "speech.jpg"), k=1, form="json")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["uri"] == lakes.uri_of(str(photos / "speech.jpg"))
    search(seen, photo=str(photos / "group.jpg"), number=1, k=1)
    assert "not known" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "say what to search for: --photo FILE or FOLDER, --face ID, or --person ID"),
        ({"face_id": "x", "person": "y"}, "say what to search for"),
        ({"face_id": "x"}, "there is no face 'x'; take its id from faces, sightings or unknown_faces"),
        ({"person": "nobody"}, "nobody called 'nobody' is in force in gallery 'people'; gallery_now lists who is"),
        ({"face_id": "x", "number": 1}, "--number is for --photo"),
        ({"face_id": "x", "first": date(2026, 2, 2), "last": date(2026, 2, 1)}, "--from 2026-02-02 is after --to"),
        ({"photo": "group.jpg"}, r"group.jpg shows 3 faces; say which is meant with --number, .*: 1 \(\d+ px wide"),
        ({"photo": "group.jpg", "number": 4}, "group.jpg shows 3 faces; there is no number 4"),
        ({"photo": "rocket.jpg"}, "rocket.jpg shows no face that is large enough"),
        ({"photo": "notes.jpg"}, "notes.jpg cannot be asked with: not_an_image"),
        ({"photo": "cut_off.jpg"}, "cut_off.jpg cannot be asked with: truncated"),
        ({"photo": "nowhere.jpg"}, "nowhere.jpg"),
        ({"photo": "", "number": 1}, "--number is for one photo"),
    ],
)
def test_what_cannot_be_asked_is_said(seen: Context, photos: Path, asked: dict[str, object], said: str) -> None:
    given = {**asked, **({"photo": str(photos / str(asked["photo"]))} if "photo" in asked else {})}
    runs = seen.tables.read("runs").count()
    with pytest.raises(InputError, match=said):
        search(seen, **given)
    assert seen.tables.read("runs").count() == runs


def test_a_purpose_may_be_asked_for(made: MakeContext, seen: Context) -> None:
    strict = made("searched", "investigation.purpose_required=true")
    with pytest.raises(InputError, match="add --purpose TEXT to say what this is for"):
        search(strict, person="barack_obama")
    assert search(strict, person="barack_obama", purpose="a try", k=1).findings


def test_faces_of_other_models_are_named(made: MakeContext, seen: Context, photos: Path) -> None:
    other = made("searched", "vision.detector=centerface")
    with pytest.raises(InputError, match=r"are of other models .* dlib-resnet-v1 on centerface-twice"):
        search(other, photo=str(photos / "speech.jpg"))


def test_without_faces(make_context: MakeContext) -> None:
    with pytest.raises(InputError, match="run `rollcall embed` first"):
        search(make_context(), person="ann")


@pytest.fixture(autouse=True, scope="module")
def _names(seen: Context) -> object:
    yield
    forget_names(seen.spark)
