"""What people decide about faces: whether one shows the person that it was found to be nearest to."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.inputs import person_ids, records
from jobs.inputs.records import Record
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import REVIEW_DECISIONS, REVIEWS
from schemas.names import Names
from udfs import lake
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id

_SAID = {"confirm": "confirmed", "reject": "rejected", "unsure": "said to be unsure of"}


@dataclass(frozen=True)
class Review:
    """One decision, as it was given. gallery_name: empty if it is to be the only one that the face was compared with.
    where: for messages.
    """

    where: str
    face_id: str
    person_id: str
    decision: str
    reviewed_by: str
    gallery_name: str = ""
    reason: str = ""


Nearest = dict[str, Any]
"""What `identifications` says of a face and a gallery, as far as a review takes it over, by column."""


def from_file(
    context: Context, file: str, *, reviewed_by: str = "", gallery_name: str = "", reason: str = ""
) -> list[Review]:
    """The decisions in a CSV, Parquet or Delta table with the columns face_id, person_id and decision, and perhaps
    gallery_name, reviewed_by and reason.

    reviewed_by, gallery_name, reason: of rows that do not say it.

    Raises:
        InputError: it cannot be read, or a value is missing or unknown; its line is named.
    """
    optional = ("gallery_name", "reviewed_by", "reason")
    read = records.read(context, lake.uri_of(file), ("face_id", "person_id", "decision"), optional)
    found = [_from_record(record, reviewed_by, gallery_name, reason) for record in read]
    if not found:
        raise InputError(f"{file}: has no decisions")
    return found


def _from_record(record: Record, reviewed_by: str, gallery_name: str, reason: str) -> Review:
    return checked(
        Review(
            record.where,
            record.text("face_id"),
            record.text("person_id"),
            record.text("decision").lower(),
            record.text("reviewed_by") or reviewed_by,
            record.text("gallery_name") or gallery_name,
            record.text("reason") or reason,
        )
    )


def checked(review: Review) -> Review:
    """The same, whoever is named in it in the form that all lists are brought to.

    Raises:
        InputError: a value is missing or unknown.
    """
    review = replace(
        review,
        person_id=person_ids.normal(review.where, review.person_id),
        reviewed_by=person_ids.trimmed(review.reviewed_by),
    )
    for name, value in (("face_id", review.face_id), ("person_id", review.person_id)):
        if not value:
            raise InputError(f"{review.where}: {name} is empty; take it from the view review_queue or sightings")
    if review.decision not in REVIEW_DECISIONS:
        raise InputError(f"{review.where}: decision is {review.decision!r}; use one of: {', '.join(REVIEW_DECISIONS)}")
    if not review.reviewed_by:
        raise InputError(f"{review.where}: nobody has signed; say who decides with --by NAME")
    return review


def record_reviews(context: Context, reviews: list[Review], *, repeated: bool) -> dict[str, int]:
    """Put decisions beside those that there are; none is ever changed. Returns the counts of the run.

    repeated: what the same person has said last of the same face and person may be said again, and is left out.

    Raises:
        InputError: a face that was not compared with the gallery, or whose nearest person is another; or the same
            decision once more by the same person.
    """
    nearest = _nearest(context, {review.face_id for review in reviews})
    placed = [(review, _of_gallery(review, nearest)) for review in reviews]
    said = _said_last(context, {review.face_id for review in reviews})
    fresh = []
    for review, found in placed:
        key = (review.face_id, found["gallery_name"], review.person_id, review.reviewed_by)
        if said.get(key) != review.decision:
            fresh.append((review, found))
            said[key] = review.decision
        elif not repeated:
            raise InputError(
                f"{review.where}: {review.reviewed_by} has {_SAID[review.decision]} that already; a second signature"
                " must be another person's"
            )
    with ledger.run(context) as run:
        run.count("repeated", len(reviews) - len(fresh))
        for review, _ in fresh:
            run.count(review.decision, 1)
        if fresh:
            rows = list(_rows(fresh, context.settings.review.signatures, run.run_id))
            context.tables.append("reviews", local_frame(context.spark, rows, REVIEWS.schema))
    return run.counts


def _nearest(context: Context, faces: Collection[str]) -> dict[str, dict[str, Nearest]]:
    """By face and gallery."""
    columns = ("face_id", "gallery_name", "person_id", "image_id", "run_date", "contract_id", "similarity")
    found: dict[str, dict[str, Nearest]] = {}
    for row in _of_faces(context.tables.read("identifications"), faces).select(*columns).collect():
        found.setdefault(row.face_id, {})[row.gallery_name] = row.asDict()
    return found


def _of_faces(table: DataFrame, faces: Collection[str]) -> DataFrame:
    schema = T.StructType([T.StructField("face_id", T.StringType())])
    asked = local_frame(table.sparkSession, [(face,) for face in faces], schema)
    return table.join(F.broadcast(asked), "face_id")


def _of_gallery(review: Review, nearest: dict[str, dict[str, Nearest]]) -> Nearest:
    galleries = nearest.get(review.face_id)
    if galleries is None:
        raise InputError(
            f"{review.where}: no face {review.face_id!r} has been identified; take its id from the view review_queue or"
            " sightings"
        )
    gallery_name = review.gallery_name
    if not gallery_name:
        if len(galleries) > 1:
            raise InputError(
                f"{review.where}: face {review.face_id} was compared with several galleries; say which one is meant:"
                f" {', '.join(sorted(galleries))}"
            )
        (gallery_name,) = galleries
    if gallery_name not in galleries:
        raise InputError(
            f"{review.where}: face {review.face_id} was not compared with gallery {gallery_name!r}, but with"
            f" {', '.join(sorted(galleries))}"
        )
    found = galleries[gallery_name]
    if found["person_id"] != review.person_id:
        near = f"nearest to {found['person_id']}" if found["person_id"] else "near nobody"
        raise InputError(
            f"{review.where}: face {review.face_id} is {near} in gallery {gallery_name!r}, and not to"
            f" {review.person_id}; only the nearest person can be confirmed or rejected"
        )
    return found


def _said_last(context: Context, faces: Collection[str]) -> dict[tuple[str, str, str, str], str]:
    """The last decision of each person, by face, gallery, person, and who has decided."""
    reviewed = _of_faces(Names(context.spark, context.tables).rows("reviewed"), faces).collect()
    return {
        (row.face_id, row.gallery_name, row.person_id, reviewer): decision
        for row in reviewed
        for decision, reviewers in (
            ("confirm", row.confirmed_by),
            ("reject", row.rejected_by),
            ("unsure", row.unsure_by),
        )
        for reviewer in reviewers
    }


def _rows(placed: list[tuple[Review, Nearest]], signatures: int, run_id: str) -> Iterator[dict[str, object]]:
    now = datetime.now(UTC)
    for at, (review, found) in enumerate(placed):
        yield {
            **found,
            "review_id": stable_id("review", run_id, at),
            "decision": review.decision,
            "reviewed_by": review.reviewed_by,
            "reviewed_at": now + timedelta(microseconds=at),  # of one file the later line is the later word
            "reason": review.reason,
            "signatures": signatures,
            "run_id": run_id,
        }
