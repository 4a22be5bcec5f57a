"""Listed persons who are not in force: nobody can be found by a photo that was refused."""

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.registry.register import Register
from jobs.run.context import Context

NOT_IN_FORCE = "listed_not_in_force"
"""What the ledger calls the count of such persons."""
_NAMED = 5


def not_in_force(context: Context, register: Register, listed: pa.Table, accepted: pa.Array) -> dict[str, list[str]]:
    """The listed persons without a sample in force, by person_id, with the reasons of their photos.

    Asks the tables as they stand now, and of those persons alone of whom no photo is accepted.

    listed: person_id and photo_id of all photos. accepted: whether the sample of each is accepted.
    """
    accepted_persons = pc.unique(listed["person_id"].filter(pc.fill_null(accepted, False)))
    left = listed.filter(pc.invert(pc.is_in(listed["person_id"], value_set=accepted_persons)))
    if not left.num_rows:
        return {}
    photos = context.spark.createDataFrame(left.select(["person_id", "photo_id"]))
    # The sample of a photo that is away stays in force.
    there = _of(context, "gallery", register).where("withdrawn_at IS NULL")
    gone = photos.join(there.select("person_id"), "person_id", "left_anti")
    decided = _of(context, "enrollments", register).select("person_id", "photo_id", "reason")
    reasons = F.sort_array(F.collect_set("reason")).alias("reasons")
    rows = gone.join(decided, ["person_id", "photo_id"], "left").groupBy("person_id").agg(reasons).collect()
    return {row.person_id: row.reasons for row in sorted(rows)}


def said_of(persons: dict[str, list[str]], listed: int) -> str:
    """The same in one line: how many of the listed persons, and who comes first. persons: at least one."""
    named = [f"{person} ({', '.join(reasons)})" for person, reasons in list(persons.items())[:_NAMED]]
    more = f", and {len(persons) - _NAMED:,} more" if len(persons) > _NAMED else ""
    return (
        f"{len(persons):,} of {listed:,} listed persons are not in force, as no photo of theirs is accepted:"
        f" {', '.join(named)}{more}; see the table enrollments"
    )


def _of(context: Context, table: str, register: Register) -> DataFrame:
    here = (F.col("gallery_name") == register.gallery_name) & (F.col("contract_id") == register.contract_id)
    return context.tables.read_or_empty(table).where(here)
