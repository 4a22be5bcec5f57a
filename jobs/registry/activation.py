"""Which contract is in force, what each one covers, and the choice of another."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import ACTIVATIONS
from udfs.arrow import local_frame
from udfs.errors import InputError


def activated(context: Context) -> str | None:
    """The contract that was chosen last, if any was."""
    row = context.tables.read_or_empty("activations").orderBy(F.desc("activated_at"), "run_id").first()
    return None if row is None else str(row.contract_id)


@dataclass(frozen=True)
class Coverage:
    """What a contract has of all images, and of all persons who are registered under any contract."""

    contract_id: str
    models: str
    images: int
    of_images: int
    persons: int
    of_persons: int
    calibrations: int

    @property
    def gaps(self) -> list[str]:
        """What is missing, in words."""
        images = f"{self.of_images - self.images:,} of {self.of_images:,} images have no outcome"
        persons = f"{self.of_persons - self.persons:,} of {self.of_persons:,} registered persons have no sample"
        missing = ((self.images < self.of_images, images), (self.persons < self.of_persons, persons))
        return [said for is_missing, said in missing if is_missing]


def choose(
    context: Context, found: list[Coverage], contract: str, allow_gaps: bool, although: str | None = None
) -> None:
    """Choose a contract by its id or the first letters of it, if it covers everything or gaps are allowed.

    although: why a trained model is chosen that was not found to be better than the one it was trained from.

    Raises:
        InputError: no contract begins like this, or several do; it has gaps that were not allowed; or it has a trained
            model that is not better, and nobody has said why it is chosen.
    """
    chosen = [covered for covered in found if covered.contract_id == contract] or [
        covered for covered in found if covered.contract_id.startswith(contract)
    ]
    if len(chosen) != 1:
        known = ", ".join(covered.contract_id for covered in chosen or found)
        raise InputError(f"{len(chosen)} contracts begin with {contract!r}; there are: {known}")
    (wanted,) = chosen
    if wanted.gaps and not allow_gaps:
        raise InputError(
            f"contract {wanted.contract_id} does not cover everything: {'; '.join(wanted.gaps)}. Embed and enrol what"
            " is missing, or --allow-gaps"
        )
    doubts = no_better(context, wanted.contract_id)
    if doubts and not although:
        raise InputError(
            f"contract {wanted.contract_id} is not better than what it was trained from: {'; '.join(doubts)}. Train on"
            " more, or say why it is chosen all the same: --although REASON"
        )
    before = activated(context)
    if before == wanted.contract_id:
        context.log.info(f"activate: {wanted.contract_id} is in force already")
        return
    with ledger.run(context, contract=wanted.contract_id) as run:
        run.digests.update(contract=wanted.contract_id)
        _append(context, wanted.contract_id, before, run.run_id, although if doubts else None)
    if not wanted.calibrations:
        context.log.warning("activate: no calibration of this contract: the settings' thresholds will decide")
    context.log.info(
        f"activate: {wanted.contract_id} ({wanted.models}) is in force" + (f", not {before}" if before else "")
    )


def activate_standing(context: Context, gallery_name: str) -> None:
    """Note as the one in force the only contract that a gallery has samples of, if it has any."""
    samples = context.tables.read_or_empty("gallery").where(F.col("gallery_name") == gallery_name)
    standing = samples.where("withdrawn_at IS NULL").select("contract_id").distinct().collect()
    if len(standing) == 1:
        chosen = standing[0].contract_id
        with ledger.run(replace(context, job="activate", arguments={"contract": chosen})) as run:
            _append(context, chosen, None, run.run_id)


def coverage(context: Context) -> list[Coverage]:
    """What each contract covers, by its id."""
    tables = context.tables
    images = tables.read_or_empty("images").count()
    looked_at = _count(tables.read_or_empty("image_outcomes"), F.count_distinct("image_id"))
    samples = tables.read_or_empty("gallery").where("withdrawn_at IS NULL")
    person = F.struct("gallery_name", "person_id")
    persons = samples.select(F.count_distinct(person)).collect()[0][0]
    registered = _count(samples, F.count_distinct(person))
    calibrations = _count(tables.read_or_empty("thresholds"), F.count("*"))
    return [
        Coverage(
            row.contract_id,
            f"{row.detector}, {row.embedder}",
            looked_at.get(row.contract_id, 0),
            images,
            registered.get(row.contract_id, 0),
            persons,
            calibrations.get(row.contract_id, 0),
        )
        for row in tables.read_or_empty("contracts").orderBy("contract_id").collect()
    ]


def _count(rows: DataFrame, of: Column) -> dict[str, int]:
    return {row.contract_id: row.n for row in rows.groupBy("contract_id").agg(of.alias("n")).collect()}


def no_better(context: Context, contract_id: str) -> list[str]:
    """What was measured of the trained models of a contract that were not found to be better, in words. Of a file that
    was trained twice, the last measurement counts."""
    models = context.tables.read_or_empty("models")
    documents = context.tables.read_or_empty("contracts").where(F.col("contract_id") == contract_id)
    used = models.join(documents.select("document"), F.col("document").contains(F.col("sha256")), "left_semi")
    last = used.groupBy("sha256").agg(F.max_by(F.struct("*"), "trained_at").alias("last")).select("last.*")
    return [_doubt(row) for row in last.where(~F.col("better")).orderBy("name").collect()]


def _doubt(row: Row) -> str:
    found = row.measured
    false = (
        f"; boxes that are no face: {found['false_after']:.3f} a photo, {found['false_before']:.3f}, and the difference"
        f" is between {found['false_difference_low']:+.3f} and {found['false_difference_high']:+.3f}"
        if row.kind == "detector"
        else ""
    )
    return (
        f"{row.name} misses {row.missed:.4f}, {row.parent} {row.missed_before:.4f}, and the difference is between"
        f" {row.difference_low:+.4f} and {row.difference_high:+.4f}{false}"
    )


def _append(context: Context, contract_id: str, before: str | None, run_id: str, although: str | None = None) -> None:
    row = (contract_id, datetime.now(UTC), before, although, run_id)
    context.tables.append("activations", local_frame(context.spark, [row], ACTIVATIONS.schema))
