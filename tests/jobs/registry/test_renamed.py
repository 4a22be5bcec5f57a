"""Lists as people change them, under --sync: whoever has a photo in the list that will do is in force afterwards."""

import shutil
from pathlib import Path

import pytest

from demo.photos import RUN_DATE
from jobs.enroll import enroll
from jobs.run.context import Context
from tests.jobs.registry.test_enrolment import people_in_force
from tests.support import MakeContext, copied


@pytest.fixture
def people(demo_photos: tuple[Path, Path], tmp_path: Path) -> Path:
    shutil.copytree(demo_photos[1], tmp_path / "people")
    return tmp_path / "people"


@pytest.fixture
def context(make_context: MakeContext, enrolled: Context) -> Context:
    return copied(make_context, enrolled, "tables")


def synced(context: Context, people: Path) -> list[str]:
    """Who is in force when the list is enrolled; nothing is left to look at then."""
    enroll(context, gallery=str(people), gallery_name="people", sync=True, max_withdraw=1.0)
    return people_in_force(context)


def test_a_person_who_is_renamed_stays(context: Context, people: Path) -> None:
    (people / "barack_obama").rename(people / "barack")
    assert synced(context, people) == [
        "barack/blue_room.jpg",
        "barack/portrait.jpg",
        "grace_hopper/portrait.jpg",
        "joe_biden/portrait.jpg",
    ]


@pytest.mark.slow
def test_persons_whose_photos_are_swapped_are_both_there(context: Context, people: Path) -> None:
    (people / "joe_biden").rename(people / "third")
    (people / "barack_obama").rename(people / "joe_biden")
    (people / "third").rename(people / "barack_obama")
    wanted = [
        "barack_obama/portrait.jpg",
        "grace_hopper/portrait.jpg",
        "joe_biden/blue_room.jpg",
        "joe_biden/portrait.jpg",
    ]
    assert synced(context, people) == wanted
    assert synced(context, people) == wanted


@pytest.mark.slow
def test_what_was_set_aside_for_a_person_who_has_gone_is_judged_again(
    context: Context, people: Path, demo_photos: tuple[Path, Path]
) -> None:
    (people / "new").mkdir()
    shutil.copy(demo_photos[0] / RUN_DATE / "speech.jpg", people / "new" / "speech.jpg")
    assert "new/speech.jpg" not in synced(context, people), "it resembles another person"
    assert "new/speech.jpg" not in synced(context, people)
    shutil.rmtree(people / "barack_obama")
    assert synced(context, people) == ["grace_hopper/portrait.jpg", "joe_biden/portrait.jpg", "new/speech.jpg"]


@pytest.mark.slow
def test_a_photo_that_is_away_is_spared_as_often_as_it_is_listed(
    context: Context, people: Path, tmp_path: Path
) -> None:
    listed = sorted(people.rglob("*.jpg"))
    rows = "".join(f"{path.parent.name},{path}\n" for path in listed)
    (tmp_path / "people.csv").write_text(f"person_id,uri\n{rows}")
    before = synced(context, tmp_path / "people.csv")
    (people / "joe_biden" / "portrait.jpg").rename(tmp_path / "away.jpg")
    for _ in range(2):
        assert synced(context, tmp_path / "people.csv") == before
    (tmp_path / "away.jpg").rename(people / "joe_biden" / "portrait.jpg")
    assert synced(context, tmp_path / "people.csv") == before
