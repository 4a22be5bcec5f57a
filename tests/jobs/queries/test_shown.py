"""What the tables say of one person, image or face."""

import json
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from jobs.queries import shown
from jobs.run.context import Context
from jobs.show import show
from tests.support import DAYS, forget_names
from udfs.errors import InputError

Sections = dict[str, list[dict[str, object]]]


@pytest.fixture(autouse=True, scope="module")
def _names(undisturbed: Context) -> object:
    yield
    forget_names(undisturbed.spark)


def printed(context: Context, capsys: pytest.CaptureFixture[str], what: str, name: str | None = None) -> Sections:
    show(context, what=what, name=name, as_json=True)
    found: Sections = json.loads(capsys.readouterr().out)
    return found


def test_a_person(undisturbed: Context, capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(undisturbed, capsys, "person", "barack_obama")
    assert found["Registered"][0]["samples"] == len(found["Samples"]) == 2
    assert [day["run_date"] for day in found["Days"]] == [DAYS[0]]
    assert len(found["Seen last"]) == found["Days"][0]["faces"]


def test_an_image_by_its_path_and_its_id(undisturbed: Context, lake: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_path = printed(undisturbed, capsys, "image", str(lake / DAYS[0] / "group.jpg"))
    assert by_path["Outcome"][0]["face_count"] == len(by_path["Faces"]) == len(by_path["Decisions"]) == 3
    assert printed(undisturbed, capsys, "image", str(by_path["Image"][0]["image_id"])) == by_path


def test_a_face_with_its_picture(undisturbed: Context, capsys: pytest.CaptureFixture[str]) -> None:
    row = undisturbed.tables.read("faces").orderBy(F.desc("quality.size")).first()
    assert row is not None
    described = shown.of_face(undisturbed, row.face_id)
    assert described.picture is not None
    assert described.picture.startswith(b"\xff\xd8")
    show(undisturbed, what="face", name=row.face_id)
    said = capsys.readouterr().out
    assert row.face_id in said
    assert "Reviews\n  none" in said


def test_a_table_and_a_view(undisturbed: Context, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(printed(undisturbed, capsys, "images")["images"]) == undisturbed.tables.read("images").count()
    assert {row["person_id"] for row in printed(undisturbed, capsys, "sightings")["sightings"]} >= {"joe_biden"}


@pytest.mark.parametrize(
    ("what", "name", "said"),
    [
        ("person", None, "say which person: rollcall show person ID"),
        ("person", "nobody", "nobody called 'nobody' was ever registered"),
        ("image", "x.jpg", "the tables know no image 'x.jpg'"),
        ("face", "x", "there is no face 'x'"),
        ("faces", "x", "faces is a table or view, and shown without an id; leave out 'x'"),
        ("thing", None, "'thing' is no table or view, nor one of person, image and face"),
    ],
)
def test_what_is_not_there_is_said(undisturbed: Context, what: str, name: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        show(undisturbed, what=what, name=name)
