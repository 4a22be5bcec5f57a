"""What `enroll` says, each night, of listed persons whom nobody can be found as; and how a gallery is emptied."""

from pathlib import Path

import pytest

from jobs.enroll import enroll
from jobs.reports.health import health
from jobs.run.context import Context
from tests.jobs.registry.made_photos import REFUSED, Listed, enrolled, in_force
from tests.support import MakeContext
from udfs.errors import InputError

EVERYONE: Listed = {("ann", "1.jpg"): 0, ("ann", "2.jpg"): REFUSED, ("bob", "1.jpg"): REFUSED, ("cat", "1.jpg"): 1}


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return make_context()


SAID = (
    "enroll: 2 of 3 listed persons are not in force, as no photo of theirs is accepted: bob (several_faces),"
    " cat (resembles_another_person); see the table enrollments"
)


def test_who_is_listed_and_not_in_force_is_said(context: Context, make_context: MakeContext, tmp_path: Path) -> None:
    enrolled(context, EVERYONE, tmp_path)
    assert [line for line in make_context.said if "not in force" in line] == [SAID]
    assert health(context).unregistered == {"g": 2}


@pytest.mark.slow
def test_it_is_said_each_night_until_they_are(context: Context, make_context: MakeContext, tmp_path: Path) -> None:
    enrolled(context, {("ann", "1.jpg"): 0}, tmp_path)
    assert not any("not in force" in line for line in make_context.said)
    for _ in range(2):
        make_context.said.clear()
        enrolled(context, EVERYONE, tmp_path)
        assert [line for line in make_context.said if "not in force" in line] == [SAID]

    # Under another policy what was decided stands, and how it is decided again is said.
    make_context.said.clear()
    enrolled(context, EVERYONE, tmp_path, several_faces="largest")
    assert any("4 photos were decided under other rules" in line for line in make_context.said)
    assert in_force(context) == {"ann"}
    make_context.said.clear()
    enrolled(
        context, {("ann", "1.jpg"): 0, ("bob", "1.jpg"): REFUSED}, tmp_path, several_faces="largest", reconsider=True
    )
    assert not any("other rules" in line for line in make_context.said)
    enrolled(context, {("ann", "1.jpg"): 0}, tmp_path, several_faces="largest")
    assert health(context).unregistered == {}


def refused_unless_more_is_said(context: Context, tmp_path: Path) -> None:
    for arguments in ({}, {"sync": True}, {"sync": True, "max_withdraw": 0.99}, {"max_withdraw": 1.0}):
        with pytest.raises(InputError, match=r"lists no photos.* To withdraw everyone: --sync --max-withdraw 1$"):
            enrolled(context, {}, tmp_path, **arguments)


def test_an_empty_list_is_refused_unless_more_is_said(context: Context, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no gallery 'g' to empty; none has been enrolled yet"):
        enrolled(context, {}, tmp_path, sync=True, max_withdraw=1.0)
    refused_unless_more_is_said(context, tmp_path)
    assert not context.tables.exists("runs")


@pytest.mark.slow
def test_an_empty_list_empties_a_gallery_if_that_is_said(context: Context, tmp_path: Path) -> None:
    ann: Listed = {("ann", "1.jpg"): 0}
    enrolled(context, ann, tmp_path)
    refused_unless_more_is_said(context, tmp_path)
    assert in_force(context) == {"ann"}
    for withdrawn in (1, 0):
        assert enrolled(context, {}, tmp_path, sync=True, max_withdraw=1.0)["withdrawn"] == withdrawn
        assert in_force(context) == set()
    assert [(each.gallery, each.persons) for each in health(context).registered] == [("g", 0)]
    enrolled(context, ann, tmp_path, sync=True)
    assert in_force(context) == {"ann"}


def test_a_folder_without_photos_says_how(context: Context, tmp_path: Path) -> None:

    (tmp_path / "away").mkdir()
    with pytest.raises(InputError, match=r"is it mounted\? .* the one line `person_id,uri` as --gallery, and --sync"):
        enroll(context, gallery=str(tmp_path / "away"), gallery_name="g", sync=True, max_withdraw=1.0)
