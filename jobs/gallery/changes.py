"""What an enrolment changes: rows to be written, as a function of what stands, what is listed, and what was seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.gallery.register import TRIED_AGAIN, ListedPhoto, Register, SeenPhoto, TableRow


@dataclass(frozen=True)
class Changes:
    """Rows to be written: those that change, and those of what was decided now.

    enrollments: by sample and photo. samples: rows of `gallery`, by sample. withdrawn: samples that are no longer
    listed. superseded: sample and photo of enrollments that are to be deleted: of photos that have been moved, or
    that could not be read and now have been.
    """

    enrollments: dict[tuple[str, str], TableRow]
    samples: dict[str, TableRow]
    withdrawn: list[str]
    superseded: list[tuple[str, str]]


@dataclass(frozen=True)
class ChangeInputs:
    """What the changes follow from.

    listed: all photos of the manifest. seen: those that were looked at. judged: of their samples, those that were
    decided now; another decision of theirs stands. sync: whether what is no longer listed is withdrawn.
    """

    register: Register
    listed: Sequence[ListedPhoto]
    seen: Sequence[SeenPhoto]
    judged: Sequence[SeenPhoto]
    sync: bool
    run_id: str
    now: datetime

    def changes(self) -> Changes:
        """The rows to be written."""
        decided = {photo.sample_id: photo for photo in self.judged}
        enrollments = self._enrollments(decided)
        first = self._first_listed()
        withdrawn = self._no_longer_listed(first) if self.sync else []
        return Changes(
            enrollments,
            self._samples(decided, first, enrollments, set(withdrawn)),
            withdrawn,
            self._superseded(enrollments),
        )

    def _enrollments(self, decided: Mapping[str, SeenPhoto]) -> dict[tuple[str, str], TableRow]:
        """What became of each photo that was looked at: what was decided of its sample now, or stands."""
        return {
            (seen.sample_id, seen.listed.photo_id): {
                **(
                    self._enrollment_row(decided[seen.sample_id])
                    if seen.sample_id in decided
                    else self.register.decisions[seen.sample_id]
                ),
                "uri": seen.listed.photo.uri,
                "photo_id": seen.listed.photo_id,
                "run_id": self.run_id,
            }
            for seen in self.seen
        }

    def _first_listed(self) -> dict[str, ListedPhoto]:
        """Of the photos of a sample the one that is listed first: place, name, labels and validity are as it says."""
        seen = {photo.listed.key: photo.sample_id for photo in self.seen}
        first: dict[str, ListedPhoto] = {}
        for listed in self.listed:
            first.setdefault(seen.get(listed.key) or self.register.sample_of(listed), listed)
        return first

    def _no_longer_listed(self, listed: Mapping[str, ListedPhoto]) -> list[str]:
        """Samples in force that are not listed, less those whose photo could not be read."""
        unread = {
            (photo.listed.photo.person_id, photo.listed.photo.uri)
            for photo in self.seen
            if photo.content_sha256 is None
        }
        return sorted(
            row["sample_id"]
            for row in self.register.in_force
            if row["sample_id"] not in listed and (row["person_id"], row["uri"]) not in unread
        )

    def _samples(
        self,
        decided: Mapping[str, SeenPhoto],
        first: Mapping[str, ListedPhoto],
        enrollments: Mapping[tuple[str, str], TableRow],
        withdrawn: set[str],
    ) -> dict[str, TableRow]:
        changed = {}
        for sample_id in dict.fromkeys([*decided, *first, *sorted(withdrawn)]):
            known, now_decided = self.register.by_sample.get(sample_id), decided.get(sample_id)
            row: TableRow | None
            if sample_id in withdrawn or (now_decided is not None and now_decided.decision != "accepted"):
                row = self._withdrawn(sample_id)
            elif now_decided is not None:
                row = {**self._gallery_row(now_decided, known), **_described(first.get(sample_id, now_decided.listed))}
            elif known is not None and self._stands_accepted(sample_id, first[sample_id], enrollments):
                returned = {"withdrawn_at": None, "enrolled_at": self.now} if known["withdrawn_at"] else {}
                row = {**known, **_described(first[sample_id]), **returned}
            else:
                continue
            if row is not None and (row != known or now_decided is not None):
                changed[sample_id] = {**row, "run_id": self.run_id}
        return changed

    def _withdrawn(self, sample_id: str) -> TableRow | None:
        """A sample that is no longer searched for; None if it was not."""
        if not self.register.is_in_force(sample_id):
            return None
        return {**self.register.by_sample[sample_id], "withdrawn_at": self.now}

    def _stands_accepted(
        self, sample_id: str, listed: ListedPhoto, enrollments: Mapping[tuple[str, str], TableRow]
    ) -> bool:
        standing = enrollments.get((sample_id, listed.photo_id)) or self.register.decisions[sample_id]
        return bool(standing["decision"] == "accepted")

    def _superseded(self, enrollments: Mapping[tuple[str, str], TableRow]) -> list[tuple[str, str]]:
        """Enrollments of where a sample was before it was moved, and of photos that could not be read before."""
        here = {listed.key for listed in self.listed}
        noted = [row for row in enrollments.values() if row["reason"] != TRIED_AGAIN]
        samples = {row["sample_id"] for row in noted}
        read = {(row["person_id"], row["uri"]) for row in noted}
        return [
            (row["sample_id"], row["photo_id"])
            for row in self.register.enrollments
            if (row["sample_id"] in samples and (row["person_id"], row["photo_id"]) not in here)
            or (row["reason"] == TRIED_AGAIN and (row["person_id"], row["uri"]) in read)
        ]

    def _enrollment_row(self, seen: SeenPhoto) -> TableRow:
        return {
            "sample_id": seen.sample_id,
            "gallery_name": self.register.gallery_name,
            "person_id": seen.listed.photo.person_id,
            "content_sha256": seen.content_sha256,
            "contract_id": self.register.contract_id,
            "settings_id": seen.settings_id,
            "decision": seen.decision,
            "reason": seen.reason,
            "detail": seen.detail,
            "own_similarity": seen.own_similarity,
            "other_person_id": seen.other_person_id,
            "other_similarity": seen.other_similarity,
        }

    def _gallery_row(self, seen: SeenPhoto, known: TableRow | None) -> TableRow:
        assert seen.face is not None  # none is accepted without one
        stays = known is not None and known["withdrawn_at"] is None
        return {
            "sample_id": seen.sample_id,
            "gallery_name": self.register.gallery_name,
            "person_id": seen.listed.photo.person_id,
            "contract_id": self.register.contract_id,
            "quality": seen.face["quality"],
            "embedding": seen.face["embedding"],
            "enrolled_at": known["enrolled_at"] if known is not None and stays else self.now,
            "withdrawn_at": None,
        }


def _described(listed: ListedPhoto) -> TableRow:
    """What the manifest says of a sample."""
    photo = listed.photo
    return {
        "uri": photo.uri,
        "name": photo.name,
        "labels": list(photo.labels),
        "valid_from": photo.valid_from,
        "valid_to": photo.valid_to,
    }
