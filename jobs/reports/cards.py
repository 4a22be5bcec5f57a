"""Faces of the lake as cards of a contact sheet."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import unquote

from pyspark.sql import Row

from jobs.faces import pictures
from jobs.faces.pictures import FaceInLake, Pictures
from jobs.reports.faces_counted import in_words
from jobs.run.context import Context
from jobs.run.ledger import utc
from pages.contact_sheet import Face
from udfs import lake

Beside = Mapping[str, tuple[str, dict[str, float] | None]]
"""What stands beside faces, by key: a photo, and where the face is in it."""


def pictures_of(context: Context, rows: Iterable[Row], beside: Beside) -> Pictures:
    """rows: of views that have face_id, image_id, run_date and box."""
    faces = [FaceInLake(row.face_id, row.image_id, row.run_date, row.box.asDict()) for row in rows]
    return pictures.of_lake(context, faces) | pictures.of_photos(context, beside)


def of_decision(row: Row, found: Pictures, by_date: bool) -> Face:
    """A row of face_decisions. by_date: it stands under its date, and not under its person."""
    decided = row.decision in ("match", "review")
    nearest = row.name or row.person_id or ""
    facts = [
        _where(row),
        *([f"similarity {row.similarity:.4f} to {row.person_id}"] if row.similarity is not None else []),
        *(
            [f"second nearest: {row.runner_up_person_id}, {row.similarity - row.margin:.4f}"]
            if row.margin is not None
            else []
        ),
        *([f"liveness {row.liveness:.3f}, advice alone"] if row.liveness is not None else []),
        *([f"reviewed: {in_words(row.review_state)}"] if row.review_state else []),
    ]
    who = nearest if decided else ""
    return _card(
        row,
        found,
        beside=row.sample_id or "",
        person_id=row.person_id or "",
        gallery_name=row.gallery_name,
        group=str(row.run_date) if by_date else who or in_words(row.decision),
        named=bool(who),
        who=who,
        decision=row.decision,
        word=in_words(row.decision),
        score=row.score,
        threshold=row.threshold,
        review_threshold=row.review_threshold,
        facts=facts,
        other=nearest or "nobody near",
    )


def of_finding(row: Row, found: Pictures) -> Face:
    """A row of investigation_findings. Beside it is what was asked with, else the sample."""
    facts = [
        _where(row),
        f"similarity {row.similarity:.4f}, rank {row.rank}",
        "strangers to be expected: " + ("not known" if row.strangers is None else f"{row.strangers:.2g}"),
    ]
    return _card(
        row,
        found,
        beside=asked_key(row),
        person_id=row.person_id or "",
        gallery_name=row.gallery_name or "",
        group=row.asked,
        named=True,
        who=row.person_id or "",
        decision=row.decision or "unknown",
        word="identified" if row.person_id else "not identified",
        score=row.similarity,
        threshold=None,
        review_threshold=None,
        facts=facts,
        other=row.asked,
    )


def of_cluster(row: Row, found: Pictures, nearest: str) -> Face:
    """A cluster by its best face. Beside it is the sample that one of its faces comes nearest to. nearest: what is said
    of the nearest other cluster."""
    several = row.days > 1
    first, last = row.first_run_date, row.last_run_date
    facts = [
        f"{row.faces:,} faces in {row.images:,} images",
        f"{row.days:,} days, {first} to {last}" if several else str(first),
        ", ".join(row.sources),
        _near_whom(row),
        nearest,
        f"cluster {row.cluster_id}",
    ]
    return _card(
        row,
        found,
        beside=row.sample_id or "",
        person_id="",
        gallery_name="",
        group="seen on several days" if several else "seen on one day",
        named=several,
        who=row.name or row.cluster_id[:12],
        decision="unknown",
        word=f"{row.faces:,} face{'s' if row.faces > 1 else ''}",
        score=row.nearest_similarity,
        threshold=None,
        review_threshold=None,
        facts=facts,
        other=row.nearest_person_id or "nobody near",
        weight=row.faces,
    )


def of_cluster_face(row: Row, found: Pictures) -> Face:
    """A face of a cluster; beside it the sample that it comes nearest to."""
    return _card(
        row,
        found,
        beside=row.sample_id or "",
        person_id="",
        gallery_name="",
        group=str(row.run_date),
        named=True,
        who=row.name or row.cluster_id[:12],
        decision="unknown",
        word="unknown",
        score=row.nearest_similarity,
        threshold=None,
        review_threshold=None,
        facts=[_where(row), _near_whom(row)],
        other=row.nearest_person_id or "nobody near",
    )


def _near_whom(row: Row) -> str:
    """Of a face or cluster: which registered person it comes nearest to."""
    if row.nearest_person_id is None:
        return ""
    return f"nearest registered: {row.nearest_person_id}, {row.nearest_similarity:.3f}"


def asked_key(row: Row) -> str:
    """The key of the picture of what a finding is like."""
    box = "" if row.asked_box is None else " ".join(str(edge) for edge in row.asked_box)
    return f"asked {row.asked_uri} {box}" if row.asked_uri else row.sample_id or ""


def _card(
    row: Row,
    found: Pictures,
    *,
    beside: str,
    person_id: str,
    gallery_name: str,
    group: str,
    named: bool,
    who: str,
    decision: str,
    word: str,
    score: float | None,
    threshold: float | None,
    review_threshold: float | None,
    facts: Sequence[str],
    other: str,
    weight: int = 0,
) -> Face:
    return Face(
        face_id=row.face_id,
        person_id=person_id,
        gallery_name=gallery_name,
        group=group,
        named=named,
        who=who,
        decision=decision,
        word=word,
        score=score,
        threshold=threshold,
        review_threshold=review_threshold,
        facts=[fact for fact in facts if fact],
        time=_time(row.captured_at),
        source=row.source or "",
        case_id=row.case_id or "",
        uri=unquote(row.uri),
        image=lake.file_name(row.uri),
        picture=row.face_id if row.face_id in found.jpeg else None,
        why=found.why.get(row.face_id, ""),
        other=other,
        other_picture=beside if beside in found.jpeg else None,
        other_why=found.why.get(beside, ""),
        weight=weight,
    )


def _where(row: Row) -> str:
    """When and by which camera an image was taken, and of which case it is."""
    return " · ".join(part for part in (_time(row.captured_at), row.source, row.case_id) if part)


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{utc(at):%Y-%m-%d %H:%M:%S}"
