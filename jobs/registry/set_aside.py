"""Samples that people have set aside: they stay registered, and nobody is found by them until they are restored."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import RESTORED, SET_ASIDE, SET_ASIDES
from udfs.arrow import local_frame
from udfs.errors import InputError


def set_aside_now(context: Context) -> DataFrame:
    """sample_id of the samples whose last decision is that they are set aside."""
    newest = F.max_by("decision", F.struct("decided_at", "run_id"))
    said = context.tables.read_or_empty("set_asides").groupBy("sample_id").agg(newest.alias("decision"))
    return said.where(F.col("decision") == SET_ASIDE).select("sample_id")


def without_set_aside(context: Context, samples: DataFrame) -> DataFrame:
    """Samples, less those that are set aside."""
    if not context.tables.exists("set_asides"):
        return samples
    return samples.join(set_aside_now(context), "sample_id", "left_anti")


def decide(
    context: Context, aside: Sequence[str], restored: Sequence[str], *, reason: str, decided_by: str
) -> dict[str, int]:
    """Set samples aside, and restore others; returns the counts of the run.

    Raises:
        InputError: a sample that is not in a gallery, is set aside already, or is to be restored and is not.
    """
    both = sorted(set(aside) & set(restored))
    if both:
        raise InputError(f"sample {both[0]} is both to be set aside and to be restored")
    wanted = {**dict.fromkeys(aside, SET_ASIDE), **dict.fromkeys(restored, RESTORED)}
    asked = context.spark.createDataFrame([(sample,) for sample in wanted], "sample_id string")
    there = context.tables.read("gallery").join(F.broadcast(asked), "sample_id").where("withdrawn_at IS NULL")
    rows = {row.sample_id: row for row in there.select("sample_id", "gallery_name", "person_id").collect()}
    now_aside = {row.sample_id for row in set_aside_now(context).join(F.broadcast(asked), "sample_id").collect()}
    for sample, decision in wanted.items():
        if sample not in rows:
            raise InputError(f"sample {sample!r} is in force in no gallery; `rollcall gallery --check` names samples")
        if (sample in now_aside) == (decision == SET_ASIDE):
            state = "set aside already" if decision == SET_ASIDE else "not set aside"
            raise InputError(f"sample {sample} of {rows[sample].person_id} is {state}")
    with ledger.run(context) as run:
        now = datetime.now(UTC)
        made = [
            {
                **rows[sample].asDict(),
                "decision": decision,
                "reason": reason,
                "decided_by": decided_by,
                "decided_at": now,
                "run_id": run.run_id,
            }
            for sample, decision in wanted.items()
        ]
        context.tables.append("set_asides", local_frame(context.spark, made, SET_ASIDES.schema))
        run.count("set_aside", len(aside))
        run.count("restored", len(restored))
    return run.counts
