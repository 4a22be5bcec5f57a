"""What is written of one gallery, and what an enrolment changes in it."""

from collections.abc import Callable, Iterable
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
    """The enrollments and the samples of one gallery under one contract.

    Photos with the same content are one sample, decided once; each of them has an enrollment.
    """

    def __init__(self, gallery_name: str, contract_id: str, enrollments: list[Row], gallery: list[Row]) -> None:
        self.gallery_name = gallery_name
        self.contract_id = contract_id
        self.gallery = {row["sample_id"]: row for row in gallery}
        self.enrollments = enrollments
        self.decisions = {row["sample_id"]: row for row in enrollments if row["reason"] != _TRIED_AGAIN}
        self._by_photo = {
            (row["person_id"], row["photo_id"]): row for row in enrollments if row["reason"] != _TRIED_AGAIN
        }

    @classmethod
    def open(cls, tables: Tables, gallery_name: str, contract_id: str, beside: bool = False) -> "Register":
        """Read what the tables say.

        beside: whether there may be samples of another contract in this gallery.

        Raises:
            InputError: there are, and they may not.
        """
        here = F.col("gallery_name") == gallery_name
        gallery = tables.read_or_empty("gallery").where(here)
        enrollments = tables.read_or_empty("enrollments").where(here & (F.col("contract_id") == contract_id))
        in_force = gallery.where(F.col("withdrawn_at").isNull())
        other = in_force.where(F.col("contract_id") != contract_id).select("contract_id").first()
        if other is not None and not beside:
            raise InputError(
                f"gallery {gallery_name!r} is of contract {other.contract_id}, the settings of {contract_id}:"
                " their embeddings cannot be compared; configure its models, name another gallery, or move this one to"
                " the new models: --beside, and then `rollcall activate`"
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

    def sample_of(self, listed: ListedPhoto) -> str:
        """The sample that a photo decided earlier stands for."""
        return str(self._by_photo[listed.photo.person_id, listed.photo_id]["sample_id"])

    def missing(self, present: Iterable[str], samples: Iterable[Sample]) -> list[str]:
        """Samples in force that are not `present` in the listing, less those whose photo could not be read."""
        unread = {(s.listed.photo.person_id, s.listed.photo.uri) for s in samples if s.content_sha256 is None}
        listed = set(present)
        return sorted(
            row["sample_id"]
            for row in self.in_force()
            if row["sample_id"] not in listed and (row["person_id"], row["uri"]) not in unread
        )


class Changes:
    """Rows to be written; rows that would stay as they are do not come up.

    `enrollments` by sample and photo, `gallery` by sample. `superseded`: sample and photo of enrollments that
    are to be deleted, of photos that have been moved, or could not be read and now have been.
    """

    def __init__(self, register: Register, run_id: str, now: datetime) -> None:
        self._register = register
        self._run_id = run_id
        self._now = now
        self.enrollments: dict[tuple[str, str], Row] = {}
        self.gallery: dict[str, Row] = {}
        self.superseded: list[tuple[str, str]] = []

    def decide(self, samples: list[Sample]) -> None:
        """Accepted samples enter the gallery, others leave it if they were in it."""
        for sample in samples:
            if sample.decision == "accepted":
                self.gallery[sample.sample_id] = self._entry(sample)
            elif self._in_force(sample.sample_id):
                self.withdraw([sample.sample_id])

    def note(self, samples: list[Sample], decided: dict[str, Sample]) -> None:
        """Note what became of each photo that was looked at: what was decided of its sample now, or stands."""
        for sample in samples:
            photo = sample.listed.photo
            decision = decided.get(sample.sample_id)
            row = self._enrollment(decision) if decision else self._register.decisions[sample.sample_id]
            noted = {**row, "uri": photo.uri, "photo_id": sample.listed.photo_id, "run_id": self._run_id}
            self.enrollments[sample.sample_id, sample.listed.photo_id] = noted

    def describe(self, listed: list[ListedPhoto], sample_of: Callable[[ListedPhoto], str]) -> None:
        """Place, name, labels and validity are the manifest's; a withdrawn sample that is listed again returns.

        Of several photos of one sample the first listed says so.
        """
        first: dict[str, ListedPhoto] = {}
        for file in listed:
            first.setdefault(sample_of(file), file)
        for sample_id, file in first.items():
            known = self.gallery.get(sample_id) or self._register.gallery.get(sample_id)
            if known is None or self._decision(sample_id, file) != "accepted":
                continue
            photo = file.photo
            returned = {"withdrawn_at": None, "enrolled_at": self._now} if known["withdrawn_at"] else {}
            self._change(
                known,
                uri=photo.uri,
                name=photo.name,
                labels=list(photo.labels),
                valid_from=photo.valid_from,
                valid_to=photo.valid_to,
                **returned,
            )

    def supersede(self, listed: list[ListedPhoto]) -> None:
        """Forget where a sample was before it was moved, and that a photo could not be read before it was."""
        here = {(file.photo.person_id, file.photo_id) for file in listed}
        noted = [row for row in self.enrollments.values() if row["reason"] != _TRIED_AGAIN]
        samples = {row["sample_id"] for row in noted}
        read = {(row["person_id"], row["uri"]) for row in noted}
        for row in self._register.enrollments:
            moved = row["sample_id"] in samples and (row["person_id"], row["photo_id"]) not in here
            unread = row["reason"] == _TRIED_AGAIN and (row["person_id"], row["uri"]) in read
            if moved or unread:
                self.superseded.append((row["sample_id"], row["photo_id"]))

    def withdraw(self, names: list[str]) -> None:
        """Samples that are no longer searched for."""
        for name in names:
            self._change(self._register.gallery[name], withdrawn_at=self._now)

    def _decision(self, sample_id: str, file: ListedPhoto) -> str:
        noted = self.enrollments.get((sample_id, file.photo_id)) or self._register.decisions[sample_id]
        return str(noted["decision"])

    def _in_force(self, name: str) -> bool:
        return name in self._register.gallery and self._register.gallery[name]["withdrawn_at"] is None

    def _change(self, known: Row, **values: object) -> None:
        row = self.gallery.get(known["sample_id"], known)
        if any(row[column] != value for column, value in values.items()):
            self.gallery[known["sample_id"]] = {**row, **values, "run_id": self._run_id}

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
