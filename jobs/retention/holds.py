"""What open investigations hold beyond its time: the faces that they have found, or asked with."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from jobs.run.settings import KEEP


def held_faces(context: Context, on: date) -> DataFrame:
    """face_id and investigation, each pair once."""
    open_ones = context.tables.read_or_empty("investigations").where("closed_at IS NULL")
    days = context.settings.retention.investigations
    if days is not None and days != KEEP:
        open_ones = open_ones.where(F.datediff(F.lit(on), F.to_date("asked_at")) <= days)
    findings = context.tables.read_or_empty("findings").join(
        open_ones.select("investigation", "run_id"), ["investigation", "run_id"]
    )
    # What was asked with is a name, or the id of a face; no face is called like anything else.
    found = findings.select("investigation", F.explode(F.array("face_id", "asked")).alias("face_id"))
    return found.distinct()
