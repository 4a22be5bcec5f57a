"""What an enrolment changes in a gallery, on made-up rows."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobs.gallery.changes import ChangeInputs, Changes
from jobs.gallery.enrolment import refuse_too_many_withdrawals
from jobs.gallery.register import ListedPhoto, Register, SeenPhoto, TableRow
from jobs.inputs.manifest import Photo
from udfs.errors import InputError
from udfs.lake import File

URI = "file:///people/ann/1.jpg"
LISTED = ListedPhoto(Photo("ann", URI), File(URI, 10, 1_000_000, True))
FACE: TableRow = {"quality": {}, "embedding": [1.0]}


def enrollment(sample_id: str, reason: str) -> TableRow:
    return {"sample_id": sample_id, "person_id": "ann", "uri": URI, "photo_id": LISTED.photo_id, "reason": reason}


def sample(sample_id: str, reason: str) -> SeenPhoto:
    refused = bool(reason)
    return SeenPhoto(
        sample_id,
        LISTED,
        None if refused else "digest",
        "settings",
        face=None if refused else FACE,
        decision="refused" if refused else "accepted",
        reason=reason,
        detail="",
    )


def changes(noted: list[TableRow], decided: SeenPhoto, gallery: list[TableRow] | None = None) -> Changes:
    """What enroll makes of one photo that was looked at."""
    return enrolment(Register("people", "contract", noted, gallery or []), [LISTED], [decided]).changes()


def enrolment(register: Register, listed: list[ListedPhoto], seen: list[SeenPhoto], sync: bool = False) -> ChangeInputs:
    return ChangeInputs(register, listed, seen, seen, sync, "run", datetime(2026, 1, 31, tzinfo=UTC))


def in_gallery(sample_id: str, withdrawn: bool = False) -> TableRow:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return {
        "sample_id": sample_id,
        "person_id": "ann",
        "uri": URI,
        "name": None,
        "labels": [],
        "valid_from": None,
        "valid_to": None,
        "enrolled_at": at,
        "withdrawn_at": at if withdrawn else None,
        "run_id": "earlier",
    }


def test_an_unreadable_photo_is_looked_at_again() -> None:
    register = Register("people", "contract", [enrollment("unread", "rejected:unreadable")], [])
    assert not register.decided(LISTED)
    assert Register("people", "contract", [enrollment("refused", "no_face")], []).decided(LISTED)


def test_once_read_the_note_that_it_could_not_be_is_gone() -> None:
    made = changes([enrollment("unread", "rejected:unreadable")], sample("read", ""))
    assert made.superseded == [("unread", LISTED.photo_id)]
    assert list(made.samples) == ["read"]


def test_unreadable_again_it_stays_one_note() -> None:
    made = changes([enrollment("unread", "rejected:unreadable")], sample("unread", "rejected:unreadable"))
    assert made.superseded == []
    assert list(made.enrollments) == [("unread", LISTED.photo_id)]


def test_another_decision_supersedes_nothing() -> None:
    assert changes([enrollment("refused", "no_face")], sample("read", "")).superseded == []


def test_a_photo_that_was_moved_is_noted_where_it_is_now() -> None:
    before = {**enrollment("read", ""), "photo_id": "another", "uri": "file:///people/ann/old.jpg"}
    made = changes([before], sample("read", ""))
    assert made.superseded == [("read", "another")]
    assert made.enrollments["read", LISTED.photo_id]["uri"] == URI


def test_copies_of_a_photo_are_one_sample_and_change_nothing_more() -> None:
    copy = ListedPhoto(
        Photo("ann", "file:///people/ann/2.jpg", labels=("vip",)), File("file:///people/ann/2.jpg", 10, 2, True)
    )
    noted = [enrollment("read", ""), {**enrollment("read", ""), "photo_id": copy.photo_id, "uri": copy.photo.uri}]
    register = Register("people", "contract", [{**row, "decision": "accepted"} for row in noted], [in_gallery("read")])
    assert register.decided(LISTED)
    assert register.decided(copy)
    made = enrolment(register, [LISTED, copy], [], sync=True).changes()
    assert made == Changes({}, {}, [], [])


@pytest.mark.parametrize(("reason", "returns"), [("", True), ("too_blurred", False)])
def test_a_withdrawn_sample_returns_if_it_is_accepted_now(reason: str, returns: bool) -> None:
    earlier = {**enrollment("read", ""), "decision": "accepted"}
    made = changes([earlier], sample("read", reason), [in_gallery("read", withdrawn=True)])
    assert ("read" in made.samples and made.samples["read"]["withdrawn_at"] is None) == returns


def test_what_is_not_listed_is_withdrawn_on_request_but_not_what_could_not_be_read() -> None:
    noted = [{**enrollment("read", ""), "decision": "accepted"}]
    other = {**in_gallery("other"), "uri": "file:///people/ann/gone.jpg"}
    register = Register("people", "contract", noted, [in_gallery("read"), other])
    unread = sample("unread", "rejected:unreadable")
    assert enrolment(register, [LISTED], []).changes().withdrawn == []
    made = enrolment(register, [], [], sync=True).changes()
    assert made.withdrawn == ["other", "read"]
    assert {row["withdrawn_at"] for row in made.samples.values()} == {datetime(2026, 1, 31, tzinfo=UTC)}
    assert enrolment(register, [LISTED], [unread], sync=True).changes().withdrawn == ["other"]


def test_changes_do_not_depend_on_the_order_in_which_photos_were_seen() -> None:
    two = ListedPhoto(Photo("ann", "file:///people/ann/2.jpg"), File("file:///people/ann/2.jpg", 11, 2, True))
    seen = [sample("read", ""), replace(sample("second", ""), listed=two)]
    register = Register("people", "contract", [], [])
    made = [enrolment(register, [LISTED, two], order).changes() for order in (seen, seen[::-1])]
    assert made[0] == made[1]
    assert sorted(made[0].samples) == ["read", "second"]


@pytest.mark.parametrize("active", [3, 7, 100, 111])
@pytest.mark.parametrize("leaving", [1, 2, 3])
def test_the_share_that_a_refusal_advises_is_taken(active: int, leaving: int) -> None:
    register = Register("people", "contract", [], [in_gallery(f"s{at}") for at in range(active)])
    made = Changes({}, {}, [f"s{at}" for at in range(leaving)], [])
    with pytest.raises(InputError, match=r"--max-withdraw (\d\.\d\d)$") as refused:
        refuse_too_many_withdrawals(register, made, 0.0)
    advised = float(str(refused.value).rpartition(" ")[2])
    refuse_too_many_withdrawals(register, made, advised)


def test_exactly_the_share_that_is_allowed_may_leave() -> None:
    register = Register("people", "contract", [], [in_gallery(f"s{at}") for at in range(100)])
    refuse_too_many_withdrawals(register, Changes({}, {}, [f"s{at}" for at in range(29)], []), 0.29)
