"""What an enrolment changes in a gallery, on made-up rows."""

from datetime import UTC, datetime

from jobs.manifest import Photo
from jobs.register import Changes, ListedPhoto, Register, Row, Sample
from udfs.lake import File

URI = "file:///people/ann/1.jpg"
LISTED = ListedPhoto(Photo("ann", URI), File(URI, 10, 1_000_000, True))
FACE: Row = {"quality": {}, "embedding": [1.0]}


def enrollment(sample_id: str, reason: str) -> Row:
    return {"sample_id": sample_id, "person_id": "ann", "uri": URI, "photo_id": LISTED.photo_id, "reason": reason}


def sample(sample_id: str, reason: str) -> Sample:
    refused = bool(reason)
    return Sample(
        sample_id,
        LISTED,
        None if refused else "digest",
        "settings",
        face=None if refused else FACE,
        decision="refused" if refused else "accepted",
        reason=reason,
        detail="",
    )


def changes(noted: list[Row], decided: Sample) -> Changes:
    made = Changes(Register("people", "contract", noted, []), "run", datetime(2026, 1, 31, tzinfo=UTC))
    made.decide([decided])
    return made


def test_an_unreadable_photo_is_looked_at_again() -> None:
    register = Register("people", "contract", [enrollment("unread", "rejected:unreadable")], [])
    assert not register.decided(LISTED)
    assert Register("people", "contract", [enrollment("refused", "no_face")], []).decided(LISTED)


def test_once_read_the_note_that_it_could_not_be_is_gone() -> None:
    made = changes([enrollment("unread", "rejected:unreadable")], sample("read", ""))
    assert made.superseded == ["unread"]
    assert list(made.gallery) == ["read"]


def test_unreadable_again_it_stays_one_note() -> None:
    made = changes([enrollment("unread", "rejected:unreadable")], sample("unread", "rejected:unreadable"))
    assert made.superseded == []
    assert list(made.enrollments) == ["unread"]


def test_another_decision_supersedes_nothing() -> None:
    assert changes([enrollment("refused", "no_face")], sample("read", "")).superseded == []
