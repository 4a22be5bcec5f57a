"""Persons are enrolled in four steps: their photos are listed, seen, judged, and then the gallery is changed."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from jobs.faces.contracts import note_contract, verified_contract
from jobs.inputs import person_ids, unlisted
from jobs.inputs.manifest import People
from jobs.registry.activation import activate_standing, activated
from jobs.registry.changes import ChangeInputs, decisions, set_aside, standing_enrollments
from jobs.registry.emptying import refuse_unknown_gallery, refuse_unless_all_may_go
from jobs.registry.erased_persons import without_erased
from jobs.registry.judged import judge_samples, undecided
from jobs.registry.leaving import leaving, without
from jobs.registry.listing import list_photos, refuse_certain_withdrawals, refuse_too_many_withdrawals
from jobs.registry.not_in_force import NOT_IN_FORCE, not_in_force, said_of
from jobs.registry.register import Register
from jobs.registry.reopening import reopened
from jobs.registry.seeing import forget, look_for
from jobs.registry.verdicts import Search
from jobs.run import ledger
from jobs.run.context import Context
from udfs.enrolment import PhotoPolicy, SeveralFaces
from udfs.vision.contract import Contract, settings_id

_TOLD_AT_MOST = 20


def enrol(
    context: Context,
    *,
    people: Callable[[], People],
    gallery: str,
    gallery_name: str,
    several_faces: SeveralFaces,
    reconsider: bool,
    beside: bool,
    sync: bool,
    max_withdraw: float,
    commit_every: int,
    allowed: tuple[str, ...],
    review: Callable[[Contract], float],
    search: Search,
) -> dict[str, int]:
    """Enrol what is new of some people; returns what was counted. The arguments are those of `rollcall enroll`; people:
    reads them, from what is called `gallery`; allowed: persons who were erased and are enrolled again; review: the
    similarity from which a resemblance to another person is looked at; search: finds who is near the new samples where
    they are many.

    Raises:
        InputError: a wrong manifest, or an empty one where not all may go; another contract in the gallery; too much
            to withdraw.
    """
    spec = context.settings.spec()
    agreed = verified_contract(spec)
    wanted = context.settings.enroll
    policy = PhotoPolicy(several_faces, wanted.minimum_size, wanted.minimum_sharpness)
    resembles = review(agreed)
    listed = people()
    is_empty = not listed.photos
    if is_empty:
        refuse_unless_all_may_go(gallery, sync, max_withdraw)
    register = _open(context, gallery_name, agreed, beside)
    if is_empty:
        refuse_unknown_gallery(context.tables, gallery, gallery_name)
    listed, again = without_erased(context, listed, gallery_name, allowed)

    with ledger.run(context) as run:
        again.tell(context, run)
        run.digests.update(contract=agreed.contract_id, settings=settings_id(spec))
        listing = list_photos(context, register, listed, sync, policy)
        run.count("directories_not_listed", listed.directories_not_listed)
        del listed
        new = listing.new(reconsider)
        context.log.info(f"enroll: {listing.photos.num_rows:,} photos listed, {new.num_rows:,} of them new or changed")
        if listing.other_rules and not reconsider:
            context.log.info(
                f"enroll: {listing.other_rules:,} photos were decided under other rules than these (--several-faces,"
                " enroll.minimum_size, enroll.minimum_sharpness), and that stands; --reconsider decides on all again"
            )
        active = 0
        if sync:
            active = refuse_certain_withdrawals(context, register, listing, reconsider, max_withdraw)

        seen = look_for(context, register, agreed, policy, run).see(new, commit_every)
        standing = standing_enrollments(register, seen.photos)
        leave = leaving(register, listing.photos, seen.photos, sync, listing.unlisted)
        if sync:
            refuse_too_many_withdrawals(len(leave), active, max_withdraw)
        samples = undecided(seen.photos, _decided(context, register, standing, leave), listing.reopened, reconsider)
        in_force = without(register.in_force, leave)
        judged = judge_samples(context, in_force, seen, samples, agreed, resembles, search)
        changes = ChangeInputs(
            register,
            listing.photos,
            seen.photos,
            seen.faces,
            judged,
            standing,
            leave,
            settings_id(spec),
            run.run_id,
            datetime.now(UTC),
            policy.policy_id,
        )
        again.note(context, run)
        _write(context, changes, _known_samples(changes, commit_every), agreed)
        forget(context, gallery_name)
        missing = not_in_force(context, register, listing.photos, changes.accepted)
        run.count("listed", listing.photos.num_rows)
        run.count(NOT_IN_FORCE, len(missing))
        run.count("withdrawn", len(leave))
        for decision in judged["decision"].value_counts().to_pylist():
            run.count(decision["values"], decision["counts"])
        _tell(context, gallery_name, judged, run)
        if missing:
            persons = len(pc.unique(listing.photos["person_id"]))
            context.log.warning(f"enroll: {said_of(missing, persons)}")
    return run.counts


def _decided(context: Context, register: Register, standing: pa.Table, leave: pa.Array) -> pa.ChunkedArray:
    """The samples whose decision stands, of photos that were seen: some have been moved since it was made."""
    aside = set_aside(standing)
    again = reopened(context, register, aside, lambda samples: pc.is_in(samples["sample_id"], value_set=leave))
    known = decisions(standing)["sample_id"]
    return known.filter(pc.invert(pc.is_in(known, value_set=aside["sample_id"].filter(again).combine_chunks())))


def _open(context: Context, gallery_name: str, agreed: Contract, beside: bool) -> Register:
    """The register of the gallery. Before a second contract comes in, the first is noted as the one in force."""
    register = Register.open(context.tables, gallery_name, agreed.contract_id, beside)
    if beside and activated(context) is None:
        activate_standing(context, gallery_name)
    return register


def _known_samples(changes: ChangeInputs, few: int) -> DataFrame | None:
    """The rows of known samples that change, if any do."""
    rows = changes.known_samples()
    if rows is None:
        return None
    first = rows.limit(few + 1).toArrow()
    if first.num_rows > few:
        return rows
    return rows.sparkSession.createDataFrame(first, rows.schema) if first.num_rows else None


def _write(context: Context, changes: ChangeInputs, known: DataFrame | None, agreed: Contract) -> None:
    """The gallery first, the decisions last: a photo whose decision was not noted is looked at again."""
    samples = [rows for rows in (changes.accepted_samples(), known) if rows is not None]
    enrollments, superseded = changes.enrollments, changes.superseded
    if samples or enrollments.num_rows:
        note_contract(context, agreed)
    if samples:
        # Who is in force, and stays so, keeps the time of enrolment.
        stays = "t.withdrawn_at IS NULL AND s.withdrawn_at IS NULL"
        context.tables.update_keeping("gallery", reduce(DataFrame.unionByName, samples), "enrolled_at", stays)
    if superseded.num_rows:
        rows, gone = (context.spark.createDataFrame(table) for table in (enrollments, superseded))
        context.tables.update_and_delete("enrollments", rows, gone)
    elif enrollments.num_rows:
        context.tables.update("enrollments", context.spark.createDataFrame(enrollments))


def _tell(context: Context, gallery_name: str, judged: pa.Table, run: ledger.Run) -> None:
    troubled = judged.filter(pc.not_equal(judged["decision"], "accepted"))
    for photo in troubled.slice(0, _TOLD_AT_MOST).to_pylist():
        # Whom a photo resembles stands in the table alone.
        private = photo["other_similarity"] is not None or not photo["detail"]
        why = photo["reason"] if private else f"{photo['reason']}: {photo['detail']}"
        context.log.warning(f"enroll: {photo['decision']} {photo['uri']}: {why}")
    if troubled.num_rows > _TOLD_AT_MOST:
        context.log.warning(f"enroll: and {troubled.num_rows - _TOLD_AT_MOST:,} more; see the table enrollments")
    if older := _resemble_an_older_id(troubled):
        context.log.warning(
            f"enroll: {older:,} of them resemble a person of the gallery whose id is theirs but for spaces around it or"
            " the form of its accents, which ids of older releases could have: enrol once with --sync, which replaces"
            " those"
        )
    told = ", ".join(f"{run.counts.get(name, 0):,} {name}" for name in ("accepted", "review", "refused", "withdrawn"))
    not_listed = unlisted.in_words(run.counts["directories_not_listed"])
    context.log.info(f"enroll: gallery {gallery_name!r}: {told}{not_listed}")


def _resemble_an_older_id(judged: pa.Table) -> int:
    """Of samples that were judged, how many resemble their own person under an id that is not in its normal form."""
    ids = zip(*(judged[name].to_pylist() for name in ("person_id", "other_person_id")), strict=True)
    return sum(other is not None and person_ids.trimmed(other) == person for person, other in ids)
