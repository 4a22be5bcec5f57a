"""What is written of one gallery: the decisions on its photos, and its samples."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pyspark.sql import functions as F

from jobs.gallery.admission import Verdict
from jobs.inputs.manifest import Photo
from schemas.store import Tables
from udfs.errors import InputError
from udfs.ids import image_id
from udfs.lake import File

TRIED_AGAIN = "rejected:unreadable"
"""The reason of a refusal that is not final."""

TableRow = dict[str, Any]
"""A row of `enrollments` or `gallery`, by column."""


@dataclass(frozen=True)
class ListedPhoto:
    """A photo of the manifest, with its file as it is now."""

    photo: Photo
    file: File

    @property
    def photo_id(self) -> str:
        """One version of the photo's file."""
        return image_id(self.file.uri, self.file.size, self.file.modified_us)

    @property
    def key(self) -> tuple[str, str]:
        """The person, and the version of the photo: what a decision is about."""
        return self.photo.person_id, self.photo_id


@dataclass(frozen=True)
class SeenPhoto:
    """What was seen in a photo, and what was decided. `face` is the one to register, or None."""

    sample_id: str
    listed: ListedPhoto
    content_sha256: str | None
    settings_id: str
    face: TableRow | None
    decision: str
    reason: str
    detail: str
    own_similarity: float | None = None
    other_person_id: str | None = None
    other_similarity: float | None = None

    def judged(self, verdict: Verdict) -> "SeenPhoto":
        """The photo after its face was compared with the others."""
        seen = replace(
            self,
            own_similarity=verdict.own,
            other_person_id=verdict.other_person_id,
            other_similarity=verdict.other,
        )
        if verdict.accepted:
            return seen
        detail = f"{verdict.other:.3f} to {verdict.other_person_id!r}"
        return replace(seen, decision="review", reason="resembles_another_person", detail=detail)


@dataclass(frozen=True)
class Register:
    """The rows of `enrollments` and `gallery` of one gallery under one contract, as they stand before an enrolment.

    Photos with the same content are one sample, decided once; each of them has an enrollment.
    """

    gallery_name: str
    contract_id: str
    enrollments: list[TableRow]
    samples: list[TableRow]

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

    @cached_property
    def by_sample(self) -> dict[str, TableRow]:
        """The samples by their id, withdrawn ones too."""
        return {row["sample_id"]: row for row in self.samples}

    @cached_property
    def decisions(self) -> dict[str, TableRow]:
        """The final decisions, by sample."""
        return {row["sample_id"]: row for row in self.enrollments if row["reason"] != TRIED_AGAIN}

    @cached_property
    def _by_photo(self) -> dict[tuple[str, str], TableRow]:
        return {(row["person_id"], row["photo_id"]): row for row in self.enrollments if row["reason"] != TRIED_AGAIN}

    @cached_property
    def in_force(self) -> list[TableRow]:
        """The samples that are searched for."""
        return [row for row in self.samples if row["withdrawn_at"] is None]

    def is_in_force(self, sample_id: str) -> bool:
        """Whether a sample is searched for."""
        return sample_id in self.by_sample and self.by_sample[sample_id]["withdrawn_at"] is None

    def decided(self, listed: ListedPhoto) -> bool:
        """Whether there is a final decision on this version of the photo for this person."""
        return listed.key in self._by_photo

    def sample_of(self, listed: ListedPhoto) -> str:
        """The sample of a photo on which there is a final decision."""
        return str(self._by_photo[listed.key]["sample_id"])
