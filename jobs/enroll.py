"""enroll: register persons from their photos."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click
import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs import ledger, manifest
from jobs.activate import activate_standing
from jobs.crashes import by_halves
from jobs.gallery import activated
from jobs.judging import judge
from jobs.manifest import Photo
from jobs.options import Context, Number, job_command, run_command
from jobs.register import Changes, ListedPhoto, Register, Sample
from jobs.seen import images_of, locate
from jobs.vision import crashed_outcome, faces_of, note_contract, verified_contract
from schemas.catalog import ENROLLMENTS, GALLERY
from udfs.errors import InputError
from udfs.ids import sample_id
from udfs.vision.contract import Contract, settings_id

_SAID_AT_MOST = 20

Row = dict[str, Any]


@job_command("enroll")
@click.option(
    "--gallery",
    metavar="URI",
    required=True,
    help="A folder PERSON/photo.jpg, or a CSV, Parquet or Delta manifest.",
)
@click.option("--gallery-name", metavar="G", required=True, help="The gallery the persons belong to.")
@click.option(
    "--several-faces",
    type=click.Choice(["reject", "largest"]),
    default="reject",
    show_default=True,
    help="What to do with a photo of several faces.",
)
@click.option("--reconsider", is_flag=True, help="Judge all photos again, also those already decided.")
@click.option(
    "--beside",
    is_flag=True,
    help="Enrol beside the gallery's samples of other models, which stay in force until `rollcall activate`.",
)
@click.option("--sync", is_flag=True, help="Withdraw samples of this gallery that are no longer listed.")
@click.option(
    "--max-withdraw",
    type=Number(0, 1),
    default=0.05,
    show_default=True,
    help="The share of samples that --sync may withdraw.",
)
def command(context: Context, **arguments: object) -> None:
    """Register persons from their photos.

    \b
    rollcall enroll --tables ./tables --gallery ./people --gallery-name staff
    rollcall enroll --tables ./tables --gallery s3://lake/people.csv --gallery-name staff --sync

    One face a photo is wanted. A photo is accepted, refused with the reason, or set aside for review when
    it resembles another person more than its own. Decisions stand until --reconsider; enrolling again
    changes nothing.
    """
    enroll(context, **arguments)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Policy:
    """What a photo must be, and what a resemblance to another person must reach to be looked at."""

    several_faces: str
    minimum_size: float
    minimum_sharpness: float
    review: float


def enroll(
    context: Context,
    *,
    gallery: str,
    gallery_name: str,
    several_faces: str = "reject",
    reconsider: bool = False,
    beside: bool = False,
    sync: bool = False,
    max_withdraw: float = 0.05,
) -> dict[str, int]:
    """Enroll what is new in a gallery's folder or manifest; returns what was counted.

    Raises:
        InputError: an empty or wrong manifest, another contract in the gallery, too much to withdraw.
    """
    spec = context.settings.spec()
    agreed = verified_contract(spec)
    settings = context.settings
    policy = Policy(
        several_faces,
        settings.enroll.minimum_size,
        settings.enroll.minimum_sharpness,
        settings.threshold(agreed.embedder).review,
    )
    photos = manifest.read(context, gallery)
    if not photos:
        raise InputError(f"{gallery}: lists no photos; is it mounted? Nothing was changed")
    register = _open(context, gallery_name, agreed, beside)

    arguments = {"gallery": gallery, "gallery_name": gallery_name, "reconsider": reconsider, "sync": sync}
    with ledger.run(context.spark, context.tables, "enroll", arguments) as run:
        run.digests.update(contract=agreed.contract_id, settings=settings_id(spec))
        listed = _locate(context, photos)
        new = [file for file in listed if reconsider or not register.decided(file)]
        context.say(f"enroll: {len(listed):,} photos listed, {len(new):,} to look at")
        samples = _samples(context, register, new, agreed, policy) if new else []
        judged = _judged(register, _undecided(samples, {} if reconsider else register.decisions), policy)
        seen = {(sample.listed.photo.person_id, sample.listed.photo_id): sample.sample_id for sample in samples}

        def sample_of(file: ListedPhoto) -> str:
            return seen.get((file.photo.person_id, file.photo_id)) or register.sample_of(file)

        gone = register.missing(map(sample_of, listed), samples) if sync else []
        if len(gone) > max_withdraw * register.active:
            raise InputError(
                f"--sync would withdraw {len(gone):,} of {register.active:,} samples, more than"
                f" {max_withdraw:.0%}; if that is meant: --max-withdraw {len(gone) / register.active:.2f}"
            )
        changes = Changes(register, run.run_id, datetime.now(UTC))
        changes.decide(judged)
        changes.note(samples, {sample.sample_id: sample for sample in judged})
        changes.describe(listed, sample_of)
        changes.withdraw(gone)
        changes.supersede(listed)
        _write(context, changes, agreed)
        run.count("listed", len(listed))
        run.count("withdrawn", len(gone))
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


def _write(context: Context, changes: Changes, agreed: Contract) -> None:
    """The gallery first, the decisions last: what was not noted as decided is looked at again."""
    if changes.gallery or changes.enrollments:
        note_contract(context, agreed)
    if changes.gallery:
        known = T.StructType([field for field in GALLERY.schema if field.name != "embedding_digest"])
        samples = context.spark.createDataFrame(list(changes.gallery.values()), known)
        context.tables.update("gallery", samples.withColumn("embedding_digest", F.xxhash64("embedding")))
    if changes.enrollments:
        rows = list(changes.enrollments.values())
        context.tables.update("enrollments", context.spark.createDataFrame(rows, ENROLLMENTS.schema))
    for start in range(0, len(changes.superseded), 500):
        either = " OR ".join(
            f"(sample_id = '{sample}' AND photo_id = '{photo}')"
            for sample, photo in changes.superseded[start : start + 500]
        )
        context.tables.delete("enrollments", either)


def _undecided(samples: list[Sample], standing: dict[str, Row]) -> list[Sample]:
    """The samples no decision stands of, each once, in the order of `sample_id`."""
    first: dict[str, Sample] = {}
    for sample in samples:
        if sample.sample_id not in standing:
            first.setdefault(sample.sample_id, sample)
    return [first[name] for name in sorted(first)]


def _locate(context: Context, photos: list[Photo]) -> list[ListedPhoto]:
    """Each photo with its file as it is now."""
    found = locate(context, {photo.uri for photo in photos})
    return [ListedPhoto(photo, found[photo.uri]) for photo in photos]


def _samples(
    context: Context, register: Register, listed: list[ListedPhoto], agreed: Contract, policy: Policy
) -> list[Sample]:
    """What is seen in each photo, in the order of the list."""
    spec = context.settings.spec()
    rows = images_of({file.file.uri: file.file for file in listed})

    def look(photos: pa.Table) -> list[Row]:
        found = faces_of(context, photos, spec, agreed, settings_id(spec)).collect()
        return [row.asDict(recursive=True) for row in found]

    def crashed(photo: pa.Table) -> list[Row]:
        return [crashed_outcome(photo["image_id"][0].as_py())]

    seen = {row["image_id"]: row for part in by_halves(rows, look, crashed) for row in part}
    return [_sample(register, file, seen[file.photo_id], settings_id(spec), policy) for file in listed]


def _sample(register: Register, listed: ListedPhoto, seen: Row, settings: str, policy: Policy) -> Sample:
    face, reason, detail = _wanted_face(seen, policy)
    content = seen["content_sha256"] or listed.photo_id
    return Sample(
        sample_id(register.gallery_name, listed.photo.person_id, content, register.contract_id),
        listed,
        seen["content_sha256"],
        settings,
        face,
        decision="refused" if reason else "accepted",
        reason=reason,
        detail=detail,
    )


def _wanted_face(seen: Row, policy: Policy) -> tuple[Row | None, str, str]:
    """The one face of a photo, or the reason why it is refused, and more about that."""
    faces = seen["faces"]
    if seen["outcome"] != "faces":
        return None, seen["outcome"], seen["detail"]
    if len(faces) > 1 and policy.several_faces == "reject":
        return None, "several_faces", f"{len(faces)} faces; crop the photo, or --several-faces largest"
    face = max(faces, key=lambda face: face["quality"]["size"])
    size, sharpness = face["quality"]["size"], face["quality"]["sharpness"]
    if size < policy.minimum_size:
        return None, "too_small", f"{size:.0f} pixels; {policy.minimum_size:.0f} are wanted"
    if sharpness < policy.minimum_sharpness:
        return None, "too_blurred", f"sharpness {sharpness:.0f}; {policy.minimum_sharpness:.0f} is wanted"
    return face, "", ""


def _judged(register: Register, samples: list[Sample], policy: Policy) -> list[Sample]:
    """The samples with their verdicts; only those with a usable face are judged.

    Samples of which nothing is noted may still be in the gallery: they are reconsidered, or the run that
    accepted them was killed. They are not judged against themselves.
    """
    usable = [sample for sample in samples if sample.face is not None]
    again = {sample.sample_id for sample in samples}
    known = [row for row in register.in_force() if row["sample_id"] not in again]
    if not usable:
        return samples
    verdicts = judge(
        _vectors([sample.face for sample in usable]),
        [sample.listed.photo.person_id for sample in usable],
        _vectors(known),
        [row["person_id"] for row in known],
        policy.review,
    )
    by_id = {sample.sample_id: verdict for sample, verdict in zip(usable, verdicts, strict=True)}
    return [sample.judged(by_id[sample.sample_id]) if sample.face else sample for sample in samples]


def _vectors(rows: Sequence[Row | None]) -> np.ndarray:
    return np.array([row["embedding"] for row in rows if row is not None], np.float32)


def _tell(context: Context, gallery_name: str, judged: list[Sample], run: ledger.Run) -> None:
    troubled = [sample for sample in judged if sample.decision != "accepted"]
    for sample in troubled[:_SAID_AT_MOST]:
        # Whom a photo resembles stands in the table: logs hold no person's name.
        why = f"{sample.reason}: {sample.detail}" if sample.detail and sample.other is None else sample.reason
        context.say(f"enroll: {sample.decision} {sample.listed.photo.uri}: {why}")
    if len(troubled) > _SAID_AT_MOST:
        context.say(f"enroll: and {len(troubled) - _SAID_AT_MOST:,} more; see the table enrollments")
    said = ", ".join(f"{run.counts.get(name, 0):,} {name}" for name in ("accepted", "review", "refused", "withdrawn"))
    context.say(f"enroll: gallery {gallery_name!r}: {said}")


if __name__ == "__main__":
    run_command(command)
