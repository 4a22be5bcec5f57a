"""One page on what a date brought."""

from datetime import UTC, date, datetime
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.reports.health import health
from jobs.run.context import Context
from pages.report import Headline, Report, ReportTable, html
from schemas.catalog import DECISIONS
from udfs.errors import InputError

SHOWN = 200
"""Matches and reviews on the page; the tables have all."""


def summarise(context: Context, *, run_date: date, output: Path) -> Report:
    """Write one page on a date; returns what is on it.

    Raises:
        InputError: the date has no images.
    """
    of_date = F.col("run_date") == F.lit(run_date)
    images = context.tables.read("images").where(of_date)
    listed = images.count()
    if not listed:
        raise InputError(f"{context.tables.place} has no images of {run_date}; run `rollcall ingest` for it first")
    outcomes = _counted(context.tables.read_or_empty("image_outcomes").where(of_date), "contract_id", "outcome")
    decided = context.tables.read_or_empty("identifications").where(of_date)
    decisions = _counted(decided, "gallery_name", "decision")
    found = _found(decided, images)
    complaints = health(context).complaints(datetime.now(UTC), late_after=1)
    by_decision = {name: sum(count for (_, of), count in decisions.items() if of == name) for name in DECISIONS}
    report = Report(
        title=f"Rollcall, {run_date}",
        lead="; ".join(complaints) if complaints else "All is well.",
        headline=[
            Headline("images", f"{listed:,}"),
            Headline("faces", f"{context.tables.read_or_empty('faces').where(of_date).count():,}"),
            *[Headline(name.replace("_", " "), f"{count:,}") for name, count in by_decision.items()],
        ],
        plots=[],
        tables=[
            _table("Images", ("contract", "outcome", "images"), outcomes),
            _table("Decisions", ("gallery", "decision", "faces"), decisions),
            ReportTable(
                "Matches and reviews",
                ("gallery", "decision", "person", "similarity", "score", "image"),
                found[:SHOWN],
                (3, 4),
                f"The first {SHOWN:,}; the table identifications has all." if len(found) > SHOWN else "",
            ),
        ],
        errors=[],
        facts=[("tables", context.tables.place), ("written", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")],
        facts_title="Where it comes from",
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(html(report), "utf-8")
    page = output.resolve().as_uri()
    context.log.info(f"summary: {page}", extra={"page": page})
    return report


def _counted(rows: DataFrame, first: str, second: str) -> dict[tuple[str, str], int]:
    return {(row[0], row[1]): row[2] for row in rows.groupBy(first, second).count().orderBy(first, second).collect()}


def _table(title: str, columns: tuple[str, str, str], counted: dict[tuple[str, str], int]) -> ReportTable:
    return ReportTable(title, columns, [(*names, f"{count:,}") for names, count in counted.items()], (2,))


def _found(decided: DataFrame, images: DataFrame) -> list[tuple[str, ...]]:
    rows = (
        decided.where(F.col("decision").isin("match", "review"))
        .join(images.select("image_id", "uri"), "image_id")
        .orderBy("gallery_name", "decision", F.desc("score"), "face_id")
        .limit(SHOWN + 1)
        .collect()
    )
    return [
        (row.gallery_name, row.decision, row.person_id, f"{row.similarity:.4f}", f"{row.score:.4f}", row.uri)
        for row in rows
    ]
