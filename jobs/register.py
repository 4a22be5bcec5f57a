"""What is written of one gallery, and what an enrolment changes in it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pyspark.sql import functions as F

from jobs.judging import Verdict
from jobs.manifest import Photo
from schemas.store import Tables
from udfs.errors import InputError
from udfs.ids import image_id
from udfs.lake import File

_TRIED_AGAIN = "rejected:unreadable"

Row = dict[str, Any]


@dataclass(frozen=True)
class ListedPhoto:
    """A photo of the manifest, with its file as it is now."""

    photo: Photo
    file: File

    @property
    def photo_id(self) -> str:
        """One version of the photo's file."""
        return image_id(self.file.uri, self.file.size, self.file.modified_us)


@dataclass(frozen=True)
class Sample:
    """What was seen in a photo, and what was decided. `face` is the one to register, or None."""

    sample_id: str
    listed: ListedPhoto
    content_sha256: str | None
    settings_id: str
    face: Row | None
    decision: str
    reason: str
    detail: str
    own: float | None = None
    other_person_id: str | None = None
    other: float | None = None

    def judged(self, verdict: Verdict) -> "Sample":
        """The sample after it was held against the others."""
        seen = replace(self, own=verdict.own, other_person_id=verdict.other_person_id, other=verdict.other)
        if verdict.accepted:
            return seen
        detail = f"{verdict.other:.3f} to {verdict.other_person_id!r}"
        return replace(seen, decision="review", reason="resembles_another_person", detail=detail)


class Register:
    """The enrollments and the samples of one gallery under one contract, by `sample_id`."""

    def __init__(self, gallery_name: str, contract_id: str, enrollments: list[Row], gallery: list[Row]) -> None:
        self.gallery_name = gallery_name
        self.contract_id = contract_id
        self.enrollments = {row["sample_id"]: row for row in enrollments}
        self.gallery = {row["sample_id"]: row for row in gallery}
        self._by_photo = {
            (row["person_id"], row["photo_id"]): row for row in enrollments if row["reason"] != _TRIED_AGAIN
        }
        self._unread: dict[tuple[str, str], list[str]] = {}
        for row in enrollments:
            if row["reason"] == _TRIED_AGAIN:
                self._unread.setdefault((row["person_id"], row["uri"]), []).append(row["sample_id"])

    @classmethod
    def open(cls, tables: Tables, gallery_name: str, contract_id: str) -> "Register":
        """Read what the tables say.

        Raises:
            InputError: samples of another contract are in force in this gallery.
        """
        here = F.col("gallery_name") == gallery_name
        gallery = tables.read_or_empty("gallery").where(here)
        enrollments = tables.read_or_empty("enrollments").where(here & (F.col("contract_id") == contract_id))
        in_force = gallery.where(F.col("withdrawn_at").isNull())
        other = in_force.where(F.col("contract_id") != contract_id).select("contract_id").first()
        if other is not None:
            raise InputError(
                f"gallery {gallery_name!r} is of contract {other.contract_id}, the settings of {contract_id}:"
                " their embeddings cannot be compared; name another gallery, or configure its models"
            )
        return cls(
            gallery_name,
            contract_id,
            [row.asDict() for row in enrollments.collect()],
            [row.asDict(recursive=True) for row in gallery.where(F.col("contract_id") == contract_id).collect()],
        )

    def in_force(self) -> list[Row]:
        """The samples that are searched for."""
        return [row for row in self.gallery.values() if row["withdrawn_at"] is None]

    @property
    def active(self) -> int:
        """How many samples are searched for."""
        return len(self.in_force())

    def decided(self, listed: ListedPhoto) -> bool:
        """Whether this version of the photo has been decided for this person."""
        return (listed.photo.person_id, listed.photo_id) in self._by_photo

    def sample_of(self, listed: ListedPhoto) -> str | None:
        """The sample that a photo decided earlier stands for."""
        row = self._by_photo.get((listed.photo.person_id, listed.photo_id))
        return None if row is None else row["sample_id"]

    def unread(self, photo: Photo) -> list[str]:
        """The enrollments that only say that this photo could not be read."""
        return self._unread.get((photo.person_id, photo.uri), [])

    def missing(self, listed: Iterable[ListedPhoto], samples: Iterable[Sample]) -> list[str]:
        """Samples in force of which neither the photo is listed any more, nor its content under another name.

        A photo that is listed and could not be read keeps its sample.
        """
        unread = {(s.listed.photo.person_id, s.listed.photo.uri) for s in samples if s.content_sha256 is None}
        present = {self.sample_of(file) for file in listed} | {sample.sample_id for sample in samples}
        return sorted(
            row["sample_id"]
            for row in self.in_force()
            if row["sample_id"] not in present and (row["person_id"], row["uri"]) not in unread
        )


class Changes:
    """Rows to be written; rows that would stay as they are do not come up.

    `superseded`: enrollments to be deleted, which said that a photo could not be read, and now it has been.
    """

    def __init__(self, register: Register, run_id: str, now: datetime) -> None:
        self._register = register
        self._run_id = run_id
        self._now = now
        self.enrollments: dict[str, Row] = {}
        self.gallery: dict[str, Row] = {}
        self.superseded: list[str] = []

    @property
    def gallery_rows(self) -> list[Row]:
        """The gallery's changed rows."""
        return list(self.gallery.values())

    def decide(self, samples: list[Sample]) -> None:
        """Note decisions; accepted samples enter the gallery, others leave it if they were in it."""
        for sample in samples:
            self.enrollments[sample.sample_id] = self._enrollment(sample)
            self.superseded += [n for n in self._register.unread(sample.listed.photo) if n != sample.sample_id]
            if sample.decision == "accepted":
                self.gallery[sample.sample_id] = self._entry(sample)
            elif self._in_force(sample.sample_id):
                self.withdraw([sample.sample_id])

    def rename(self, samples: list[Sample]) -> None:
        """Contents that were decided under another name: the decision stands, the name is the new one."""
        for sample in samples:
            uri = sample.listed.photo.uri
            known = self._register.enrollments[sample.sample_id]
            self._change(self.enrollments, known, uri=uri, photo_id=sample.listed.photo_id)
            if sample.sample_id in self._register.gallery:
                self._change(self.gallery, self._register.gallery[sample.sample_id], uri=uri)

    def describe(self, listed: list[ListedPhoto]) -> None:
        """Names, labels and validity are the manifest's; a withdrawn sample that is listed again returns."""
        for file in listed:
            name = self._register.sample_of(file)
            known = self._register.gallery.get(name) if name else None
            if known is None or self._register.enrollments[known["sample_id"]]["decision"] != "accepted":
                continue
            photo = file.photo
            returned = {"withdrawn_at": None, "enrolled_at": self._now} if known["withdrawn_at"] else {}
            self._change(
                self.gallery,
                known,
                name=photo.name,
                labels=list(photo.labels),
                valid_from=photo.valid_from,
                valid_to=photo.valid_to,
                **returned,
            )

    def withdraw(self, names: list[str]) -> None:
        """Samples that are no longer searched for."""
        for name in names:
            self._change(self.gallery, self._register.gallery[name], withdrawn_at=self._now)

    def _in_force(self, name: str) -> bool:
        return name in self._register.gallery and self._register.gallery[name]["withdrawn_at"] is None

    def _change(self, changes: dict[str, Row], known: Row, **values: object) -> None:
        row = changes.get(known["sample_id"], known)
        if any(row[column] != value for column, value in values.items()):
            changes[known["sample_id"]] = {**row, **values, "run_id": self._run_id}

    def _enrollment(self, sample: Sample) -> Row:
        return {
            "sample_id": sample.sample_id,
            "gallery_name": self._register.gallery_name,
            "person_id": sample.listed.photo.person_id,
            "uri": sample.listed.photo.uri,
            "photo_id": sample.listed.photo_id,
            "content_sha256": sample.content_sha256,
            "contract_id": self._register.contract_id,
            "settings_id": sample.settings_id,
            "decision": sample.decision,
            "reason": sample.reason,
            "detail": sample.detail,
            "own_similarity": sample.own,
            "other_person_id": sample.other_person_id,
            "other_similarity": sample.other,
            "run_id": self._run_id,
        }

    def _entry(self, sample: Sample) -> Row:
        assert sample.face is not None
        photo = sample.listed.photo
        known = self._register.gallery.get(sample.sample_id)
        return {
            "sample_id": sample.sample_id,
            "gallery_name": self._register.gallery_name,
            "person_id": photo.person_id,
            "name": photo.name,
            "labels": list(photo.labels),
            "valid_from": photo.valid_from,
            "valid_to": photo.valid_to,
            "uri": photo.uri,
            "contract_id": self._register.contract_id,
            "quality": sample.face["quality"],
            "embedding": sample.face["embedding"],
            "enrolled_at": known["enrolled_at"] if known and known["withdrawn_at"] is None else self._now,
            "withdrawn_at": None,
            "run_id": self._run_id,
        }
