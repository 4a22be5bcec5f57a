"""What an enrolment changes in a gallery, on made-up rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from jobs.registry.changes import ChangeInputs, standing_enrollments
from jobs.registry.leaving import leaving
from jobs.registry.listing import Listing, refuse_certain_withdrawals, refuse_too_many_withdrawals
from jobs.registry.register import Register
from jobs.registry.seeing import Faces
from jobs.run.context import Context
from schemas.catalog import ENROLLMENTS, GALLERY
from tests.rows import Values, frame
from tests.support import MakeContext
from udfs.enrolment import SEEN
from udfs.errors import InputError

NOW, EARLIER = datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
QUALITY = (50.0, *(0.0,) * 6)


def uri(name: str) -> str:
    return f"file:///people/ann/{name}.jpg"


@dataclass(frozen=True)
class Seen:
    """A photo that was looked at, and what came of it: the reason why it was refused, if it was."""

    photo: str
    sample: str
    reason: str = ""


def enrollment(sample: str, reason: str = "", photo: str = "1", **values: object) -> Values:
    decision = "refused" if reason else "accepted"
    known = {"sample_id": sample, "person_id": "ann", "uri": uri(photo), "photo_id": f"version of {photo}"}
    return {**known, "reason": reason, "decision": decision, "gallery_name": "people", **values}


def in_gallery(sample: str, withdrawn: bool = False, photo: str = "1", **values: object) -> Values:
    return {
        "sample_id": sample,
        "person_id": "ann",
        "gallery_name": "people",
        "uri": uri(photo),
        "quality": QUALITY,
        "embedding": [1.0],
        "enrolled_at": EARLIER,
        "withdrawn_at": EARLIER if withdrawn else None,
        "run_id": "earlier",
        **values,
    }


class Enrolment:
    """The changes of an enrolment of photos of Ann, by name; each lies in a file of its own."""

    def __init__(self, spark: SparkSession, noted: Sequence[Values] = (), gallery: Sequence[Values] = ()) -> None:
        self.spark = spark
        self.noted = noted
        self.register = Register(
            "people",
            "c",
            frame(spark, "enrollments", noted) if noted else None,
            frame(spark, "gallery", gallery) if gallery else None,
        )

    def listing(self, photos: Sequence[str], labels: Sequence[str] = ()) -> Listing:
        final = {row["photo_id"]: row for row in self.noted if row["reason"] != "rejected:unreadable"}
        rows = [
            {
                "person_id": "ann",
                "uri": uri(name),
                "name": None,
                "labels": list(labels),
                "valid_from": None,
                "valid_to": None,
                "size": 10,
                "modified_us": 1,
                "regular": True,
                "photo_id": f"version of {name}",
                "sample_id": final.get(f"version of {name}", {}).get("sample_id"),
                "accepted": row["decision"] == "accepted" if (row := final.get(f"version of {name}")) else None,
            }
            for name in photos
        ]
        described = [
            pa.field("labels", pa.list_(pa.string())),
            *[pa.field(f"valid_{e}", pa.date32()) for e in ("from", "to")],
        ]
        text = [pa.field(name, pa.string()) for name in ("person_id", "uri", "name", "photo_id", "sample_id")]
        numbers = [pa.field("size", pa.int64()), pa.field("modified_us", pa.int64())]
        flags = [pa.field(name, pa.bool_()) for name in ("regular", "accepted")]
        photos = pa.Table.from_pylist(rows, pa.schema([*text, *described, *numbers, *flags]))
        return Listing(photos, pa.array([], pa.string()))

    def inputs(
        self, listed: Sequence[str], seen: Sequence[Seen], sync: bool = False, labels: Sequence[str] = ()
    ) -> ChangeInputs:
        listing = self.listing(listed, labels)
        seen = sorted(seen, key=lambda each: listed.index(each.photo) if each.photo in listed else -1)
        unread = ("rejected:unreadable",)
        told = [
            {
                "person_id": "ann",
                "uri": uri(each.photo),
                "photo_id": f"version of {each.photo}",
                "sample_id": each.sample,
                "content_sha256": None if each.reason in unread else f"digest of {each.sample}",
            }
            for each in seen
        ]
        looked = pa.Table.from_pylist(
            told, pa.schema([(n, pa.string()) for n in ("person_id", "uri", "photo_id", "sample_id", "content_sha256")])
        )
        standing = standing_enrollments(self.register, looked)
        stand = {row["sample_id"] for row in standing.to_pylist() if row["reason"] not in unread}
        first: dict[str, Seen] = {}
        for each in seen:
            first.setdefault(each.sample, each)
        judged = [
            {
                "person_id": "ann",
                "uri": uri(each.photo),
                "photo_id": f"version of {each.photo}",
                "sample_id": name,
                "content_sha256": None if each.reason in unread else f"digest of {name}",
                "decision": "refused" if each.reason else "accepted",
                "reason": each.reason,
                "detail": "",
                "own_similarity": None,
                "other_person_id": None,
                "other_similarity": None,
            }
            for name, each in sorted(first.items())
            if name not in stand or not self.keeps
        ]
        names = ("own_similarity", "other_similarity")
        text = [*looked.column_names, "decision", "reason", "detail", "other_person_id"]
        schema = pa.schema([*[(n, pa.string()) for n in text], *[(n, pa.float64()) for n in names]])
        faces = [
            {
                **{name: row[name] for name in ("person_id", "photo_id", "sample_id", "content_sha256")},
                "reason": each.reason,
                "detail": "",
                "box": None,
                "quality": None if each.reason else dict(zip(_quality_names(), QUALITY, strict=True)),
                "embedding": None if each.reason else [1.0],
            }
            for row, each in zip(told, seen, strict=True)
        ]
        return ChangeInputs(
            self.register,
            listing.photos,
            looked,
            Faces(self.spark, pa.Table.from_pylist(faces, SEEN)),
            pa.Table.from_pylist(judged, schema),
            standing,
            leaving(self.register, listing.photos, looked, sync),
            "settings",
            "run",
            NOW,
        )

    keeps = True
    """Whether decisions stand; else the photos are reconsidered."""


class Reconsidered(Enrolment):
    keeps = False


def _quality_names() -> list[str]:
    return [field.name for field in SEEN.field("quality").type]


def enrollments(made: ChangeInputs) -> dict[tuple[str, str], Values]:
    assert made.enrollments.column_names == ENROLLMENTS.names
    return {(row["sample_id"], row["photo_id"]): row for row in made.enrollments.to_pylist()}


def superseded(made: ChangeInputs) -> list[tuple[str, str]]:
    return [(row["sample_id"], row["photo_id"]) for row in made.superseded.to_pylist()]


def samples(made: ChangeInputs) -> dict[str, Values]:
    """The rows of the gallery that change, as they are written to a table without rows."""
    known, accepted = made.known_samples(), made.accepted_samples()
    rows = [] if known is None else [row.asDict() for row in known.collect()]
    rows += [] if accepted is None else [row.asDict() for row in accepted.collect()]
    assert all(list(row) == GALLERY.names for row in rows)
    assert len({row["sample_id"] for row in rows}) == len(rows)
    return {row["sample_id"]: {name: _in_utc(value) for name, value in row.items()} for row in rows}


def _in_utc(value: object) -> object:
    """Spark gives timestamps in the zone of this machine."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def withdrawn(made: ChangeInputs) -> list[str]:
    """The samples that are withdrawn as they are not listed."""
    return sorted(made.leave.to_pylist())


def test_an_unreadable_photo_is_looked_at_again(spark: SparkSession) -> None:
    assert Register("people", "c", None, None).final is None
    again = Enrolment(spark, [enrollment("unread", "rejected:unreadable"), enrollment("refused", "no_face", "2")])
    assert again.register.final is not None
    assert [row.sample_id for row in again.register.final.collect()] == ["refused"]


def test_once_read_the_note_that_it_could_not_be_is_gone(spark: SparkSession) -> None:
    made = Enrolment(spark, [enrollment("unread", "rejected:unreadable")]).inputs(["1"], [Seen("1", "read")])
    assert superseded(made) == [("unread", "version of 1")]
    assert list(samples(made)) == ["read"]


def test_unreadable_again_it_stays_one_note(spark: SparkSession) -> None:
    again = Seen("1", "unread", "rejected:unreadable")
    made = Enrolment(spark, [enrollment("unread", "rejected:unreadable")]).inputs(["1"], [again])
    assert superseded(made) == []
    assert list(enrollments(made)) == [("unread", "version of 1")]


def test_a_photo_that_may_not_be_read_now_has_the_note_of_one_that_could_not(spark: SparkSession) -> None:
    """Both are about the version of the file, as its content is not known."""
    forbidden = Seen("1", "unread", "rejected:forbidden")
    made = Enrolment(spark, [enrollment("unread", "rejected:unreadable")]).inputs(["1"], [forbidden])
    assert superseded(made) == []
    assert enrollments(made)["unread", "version of 1"]["reason"] == "rejected:forbidden"


def test_another_decision_supersedes_nothing(spark: SparkSession) -> None:
    made = Reconsidered(spark, [enrollment("refused", "no_face")]).inputs(["1"], [Seen("1", "read")])
    assert superseded(made) == []


def test_a_photo_that_was_moved_is_noted_where_it_is_now(spark: SparkSession) -> None:
    before = enrollment("read", photo="old")
    made = Enrolment(spark, [before], [in_gallery("read", photo="old")]).inputs(["1"], [Seen("1", "read")])
    assert superseded(made) == [("read", "version of old")]
    assert enrollments(made)["read", "version of 1"]["uri"] == uri("1")
    assert samples(made)["read"]["uri"] == uri("1")
    assert samples(made)["read"]["enrolled_at"] == EARLIER


def test_copies_of_a_photo_are_one_sample_and_change_nothing_more(spark: SparkSession) -> None:
    noted = [enrollment("read"), enrollment("read", photo="2")]
    made = Enrolment(spark, noted, [in_gallery("read")]).inputs(["1", "2"], [], sync=True)
    assert (enrollments(made), samples(made), withdrawn(made), superseded(made)) == ({}, {}, [], [])


def test_a_new_copy_of_a_photo_is_noted_and_decided_as_it_is(spark: SparkSession) -> None:
    noted = [enrollment("read", "too_blurred", settings_id="earlier settings")]
    made = Enrolment(spark, noted).inputs(["1", "2"], [Seen("2", "read")])
    assert (superseded(made), samples(made)) == ([], {})
    (row,) = enrollments(made).values()
    assert (row["uri"], row["reason"], row["settings_id"]) == (uri("2"), "too_blurred", "earlier settings")


@pytest.mark.parametrize(("reason", "returns"), [("", True), ("too_blurred", False)])
def test_a_withdrawn_sample_returns_if_it_is_accepted_now(spark: SparkSession, reason: str, returns: bool) -> None:
    away = Reconsidered(spark, [enrollment("read")], [in_gallery("read", withdrawn=True)])
    made = samples(away.inputs(["1"], [Seen("1", "read", reason)]))
    assert ("read" in made and made["read"]["withdrawn_at"] is None) == returns


@pytest.mark.parametrize(("reason", "returns"), [("", True), ("too_blurred", False)])
def test_a_withdrawn_sample_that_is_listed_returns_if_it_stands_accepted(
    spark: SparkSession, reason: str, returns: bool
) -> None:
    away = Enrolment(spark, [enrollment("read", reason)], [in_gallery("read", withdrawn=True)])
    made = samples(away.inputs(["1"], []))
    assert list(made) == (["read"] if returns else [])
    if returns:
        assert (made["read"]["withdrawn_at"], made["read"]["enrolled_at"]) == (None, NOW)


def test_a_sample_that_is_refused_now_is_withdrawn_and_not_counted_as_no_longer_listed(spark: SparkSession) -> None:
    made = Reconsidered(spark, [enrollment("read")], [in_gallery("read")]).inputs(
        ["1"], [Seen("1", "read", "too_blurred")], sync=True, labels=["vip"]
    )
    (row,) = samples(made).values()
    assert (row["withdrawn_at"], row["labels"], withdrawn(made)) == (NOW, [], [])


def test_what_the_list_says_of_a_sample_is_taken_over(spark: SparkSession) -> None:
    made = Enrolment(spark, [enrollment("read")], [in_gallery("read")]).inputs(["1"], [], labels=["vip"])
    (row,) = samples(made).values()
    assert (row["labels"], row["run_id"], row["enrolled_at"]) == (["vip"], "run", EARLIER)


def test_what_is_not_listed_is_withdrawn_on_request_but_not_what_could_not_be_read(spark: SparkSession) -> None:
    standing = Enrolment(spark, [enrollment("read")], [in_gallery("read"), in_gallery("other", photo="gone")])
    unread = Seen("1", "unread", "rejected:unreadable")
    assert withdrawn(standing.inputs(["1"], [])) == []
    made = standing.inputs([], [], sync=True)
    assert withdrawn(made) == ["other", "read"]
    assert {row["withdrawn_at"] for row in samples(made).values()} == {NOW}
    kept = Enrolment(spark, [], [in_gallery("read"), in_gallery("other", photo="gone")])
    assert withdrawn(kept.inputs(["1"], [unread], sync=True)) == ["other"]


def test_a_photo_that_was_replaced_takes_the_place_of_the_old_one(spark: SparkSession) -> None:
    standing = Enrolment(spark, [enrollment("old", photo="1")], [in_gallery("old"), in_gallery("other", photo="2")])
    made = standing.inputs(["1"], [Seen("1", "new")])
    assert withdrawn(made) == ["old"]
    assert {name: row["withdrawn_at"] for name, row in samples(made).items()} == {"old": NOW, "new": None}
    assert withdrawn(standing.inputs(["1"], [Seen("1", "unread", "rejected:unreadable")])) == []


def test_changes_do_not_depend_on_the_order_in_which_photos_were_seen(spark: SparkSession) -> None:
    seen = [Seen("1", "read"), Seen("2", "second")]
    made = [Enrolment(spark).inputs(["1", "2"], order) for order in (seen, seen[::-1])]
    assert enrollments(made[0]) == enrollments(made[1])
    assert samples(made[0]) == samples(made[1])
    assert sorted(samples(made[0])) == ["read", "second"]


@pytest.fixture
def context(make_context: MakeContext) -> Context:
    return make_context()


def certain(context: Context, standing: Enrolment, listed: Sequence[str], reconsider: bool = False) -> int:
    """How many samples must leave, whatever is seen in the photos."""
    for least in range(10):
        try:
            refuse_certain_withdrawals(
                context, standing.register, standing.listing(listed), reconsider, max_withdraw=least / 10
            )
        except InputError:
            continue
        return least
    raise AssertionError("more than there are")


@pytest.mark.parametrize(
    ("listed", "reconsider", "least"),
    [
        (["0", "1", "2", "3"], False, 6),
        (["0", "1", "2", "3", "new"], False, 5),
        (["0", "1", "2", "3", "new", "newer"], False, 4),
        ([*map(str, range(10))], False, 0),
        (["0", "1", "2", "3"], True, 2),
        (["4"], True, 8),
        (["changed"], False, 8),
    ],
)
def test_what_must_leave_is_known_before_photos_are_seen(
    context: Context, spark: SparkSession, listed: list[str], reconsider: bool, least: int
) -> None:
    """Each new photo may have the content of one sample that is not listed; and keeps the sample at its place if it
    cannot be read.
    """
    names = [str(at) for at in range(10)]
    places = {"9": "changed"}
    standing = Enrolment(
        spark,
        [enrollment(name, photo=name) for name in names],
        [in_gallery(name, photo=places.get(name, name)) for name in names],
    )
    assert certain(context, standing, listed, reconsider) == least


@pytest.mark.parametrize("active", [3, 7, 100, 111])
@pytest.mark.parametrize("leaving", [1, 2, 3])
def test_the_share_that_a_refusal_advises_is_taken(active: int, leaving: int) -> None:
    with pytest.raises(InputError, match=r"--max-withdraw (\d\.\d\d)$") as refused:
        refuse_too_many_withdrawals(leaving, active, 0.0)
    advised = float(str(refused.value).rpartition(" ")[2])
    refuse_too_many_withdrawals(leaving, active, advised)


def test_exactly_the_share_that_is_allowed_may_leave() -> None:
    refuse_too_many_withdrawals(29, 100, 0.29)
