"""Persons are enrolled in four steps: their photos are listed, seen, judged, and then the gallery is changed."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.faces.compute import crashed_outcome, faces_of
from jobs.faces.contracts import note_contract, verified_contract
from jobs.faces.crashes import by_halves
from jobs.faces.lookup import images_of, locate
from jobs.gallery.activation import activate_standing, activated
from jobs.gallery.admission import Policy, judge, wanted_face
from jobs.gallery.changes import ChangeInputs, Changes
from jobs.gallery.register import ListedPhoto, Register, SeenPhoto, TableRow
from jobs.inputs import manifest
from jobs.inputs.manifest import Photo
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import ENROLLMENTS, GALLERY
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import sample_id
from udfs.vision.contract import Contract, settings_id
from udfs.vision.speed import settled

Array = np.ndarray

_TOLD_AT_MOST = 20


def enrol(
    context: Context,
    *,
    gallery: str,
    gallery_name: str,
    several_faces: str,
    reconsider: bool,
    beside: bool,
    sync: bool,
    max_withdraw: float,
    review: Callable[[Contract], float],
) -> dict[str, int]:
    """Enrol what is new in a gallery's folder or manifest; returns what was counted. The arguments are those of
    `rollcall enroll`; review: the similarity from which a resemblance to another person is looked at.

    Raises:
        InputError: an empty or wrong manifest, another contract in the gallery, too much to withdraw.
    """
    spec = context.settings.spec()
    agreed = verified_contract(spec)
    wanted = context.settings.enroll
    policy = Policy(several_faces, wanted.minimum_size, wanted.minimum_sharpness, review(agreed))
    photos = manifest.read(context, gallery)
    if not photos:
        raise InputError(f"{gallery}: lists no photos; is it mounted? Nothing was changed")
    register = _open(context, gallery_name, agreed, beside)

    with ledger.run(context) as run:
        run.digests.update(contract=agreed.contract_id, settings=settings_id(spec))
        listed = list_photos(context, photos)
        new = [photo for photo in listed if reconsider or not register.decided(photo)]
        context.log.info(f"enroll: {len(listed):,} photos listed, {len(new):,} of them new or changed")
        seen = see_photos(context, register, new, agreed, policy) if new else []
        judged = judge_samples(register, undecided(seen, register, reconsider), policy)
        changes = ChangeInputs(register, listed, seen, judged, sync, run.run_id, datetime.now(UTC)).changes()
        refuse_too_many_withdrawals(register, changes, max_withdraw)
        _write(context, changes, agreed)
        run.count("listed", len(listed))
        run.count("withdrawn", len(changes.withdrawn))
        for sample in judged:
            run.count(sample.decision, 1)
        _tell(context, gallery_name, judged, run)
    return run.counts


def _open(context: Context, gallery_name: str, agreed: Contract, beside: bool) -> Register:
    """The register of the gallery. Before a second contract comes in, the first is noted as the one in force."""
    register = Register.open(context.tables, gallery_name, agreed.contract_id, beside)
    if beside and activated(context) is None:
        activate_standing(context, gallery_name)
    return register


def list_photos(context: Context, photos: list[Photo]) -> list[ListedPhoto]:
    """Each photo with its file as it is now."""
    found = locate(context, {photo.uri for photo in photos})
    return [ListedPhoto(photo, found[photo.uri]) for photo in photos]


def see_photos(
    context: Context, register: Register, listed: list[ListedPhoto], agreed: Contract, policy: Policy
) -> list[SeenPhoto]:
    """What is seen in each photo, in the order of the list."""
    spec = settled(context.settings.spec())
    settings = settings_id(spec)

    def look(photos: pa.Table) -> list[TableRow]:
        found = faces_of(context, photos, spec, agreed, settings).collect()
        return [row.asDict(recursive=True) for row in found]

    def crashed(photo: pa.Table) -> list[TableRow]:
        return [crashed_outcome(photo["image_id"][0].as_py())]

    images = images_of({photo.file.uri: photo.file for photo in listed})
    outcomes = {row["image_id"]: row for part in by_halves(images, look, crashed) for row in part}
    return [_seen(register, photo, outcomes[photo.photo_id], settings, policy) for photo in listed]


def _seen(register: Register, listed: ListedPhoto, outcome: TableRow, settings: str, policy: Policy) -> SeenPhoto:
    face, reason, detail = wanted_face(outcome, policy)
    content = outcome["content_sha256"] or listed.photo_id
    return SeenPhoto(
        sample_id(register.gallery_name, listed.photo.person_id, content, register.contract_id),
        listed,
        outcome["content_sha256"],
        settings,
        face,
        decision="refused" if reason else "accepted",
        reason=reason,
        detail=detail,
    )


def undecided(seen: Sequence[SeenPhoto], register: Register, reconsider: bool) -> list[SeenPhoto]:
    """Of the photos of each sample the first, if no decision on it stands; in the order of `sample_id`."""
    first: dict[str, SeenPhoto] = {}
    for photo in seen:
        if reconsider or photo.sample_id not in register.decisions:
            first.setdefault(photo.sample_id, photo)
    return [first[name] for name in sorted(first)]


def judge_samples(register: Register, samples: list[SeenPhoto], policy: Policy) -> list[SeenPhoto]:
    """The samples with their verdicts; only those with a usable face are judged.

    Samples on which no decision is noted may still be in the gallery: they are reconsidered, or the run that
    accepted them was killed. They are not judged against themselves.
    """
    usable = [(sample, sample.face) for sample in samples if sample.face is not None]
    again = {sample.sample_id for sample in samples}
    known = [row for row in register.in_force if row["sample_id"] not in again]
    if not usable:
        return samples
    verdicts = judge(
        _vectors([face for _, face in usable]),
        [sample.listed.photo.person_id for sample, _ in usable],
        _vectors(known),
        [row["person_id"] for row in known],
        policy.review,
    )
    by_id = {sample.sample_id: verdict for (sample, _), verdict in zip(usable, verdicts, strict=True)}
    return [sample.judged(by_id[sample.sample_id]) if sample.face else sample for sample in samples]


def _vectors(rows: Sequence[TableRow]) -> Array:
    return np.array([row["embedding"] for row in rows], np.float32)


def refuse_too_many_withdrawals(register: Register, changes: Changes, max_withdraw: float) -> None:
    leaving, active = len(changes.withdrawn), len(register.in_force)
    share = leaving / active if active else 0.0
    if share > max_withdraw:
        raise InputError(
            f"--sync would withdraw {leaving:,} of {active:,} samples, more than {max_withdraw:.0%}; if that is meant:"
            f" --max-withdraw {math.ceil(100 * share) / 100:.2f}"
        )


def _write(context: Context, changes: Changes, agreed: Contract) -> None:
    """The gallery first, the decisions last: a photo whose decision was not noted is looked at again."""
    if changes.samples or changes.enrollments:
        note_contract(context, agreed)
    if changes.samples:
        without_digest = T.StructType([field for field in GALLERY.schema if field.name != "embedding_digest"])
        samples = local_frame(context.spark, list(changes.samples.values()), without_digest)
        context.tables.update("gallery", samples.withColumn("embedding_digest", F.xxhash64("embedding")))
    if changes.enrollments:
        rows = list(changes.enrollments.values())
        context.tables.update("enrollments", local_frame(context.spark, rows, ENROLLMENTS.schema))
    if changes.superseded:
        of_key = T.StructType([ENROLLMENTS.schema[name] for name in ("sample_id", "photo_id")])
        context.tables.delete_rows("enrollments", local_frame(context.spark, changes.superseded, of_key))


def _tell(context: Context, gallery_name: str, judged: list[SeenPhoto], run: ledger.Run) -> None:
    troubled = [photo for photo in judged if photo.decision != "accepted"]
    for photo in troubled[:_TOLD_AT_MOST]:
        # Whom a photo resembles stands in the table alone.
        private = photo.other_similarity is not None or not photo.detail
        why = photo.reason if private else f"{photo.reason}: {photo.detail}"
        context.log.warning(f"enroll: {photo.decision} {photo.listed.photo.uri}: {why}")
    if len(troubled) > _TOLD_AT_MOST:
        context.log.warning(f"enroll: and {len(troubled) - _TOLD_AT_MOST:,} more; see the table enrollments")
    told = ", ".join(f"{run.counts.get(name, 0):,} {name}" for name in ("accepted", "review", "refused", "withdrawn"))
    context.log.info(f"enroll: gallery {gallery_name!r}: {told}")
