"""A gallery is asked another question about the faces of a date, and the rows of the nights stay as they are."""

from datetime import date
from typing import Any

from pyspark.sql import functions as F

from jobs.investigations.record import Investigation, asked_of
from jobs.matching.identification import prepared
from jobs.run import ledger
from jobs.run.context import Context
from udfs.errors import InputError


def investigate_date(
    context: Context,
    *,
    run_date: date | None,
    all_dates: bool,
    investigation: str,
    purpose: str | None,
    asked_by: str | None,
    for_case: str | None,
    **asked: Any,
) -> dict[str, int]:
    """Find the nearest persons of each face of a date, and keep them as findings. The arguments are those of
    `rollcall identify`.

    Raises:
        InputError: as of `identify_faces`; all dates at once; no purpose where one is asked for, or a name that another
            investigation has.
    """
    if run_date is None or all_dates:
        raise InputError("an investigation is of one date, --run-date YYYY-MM-DD; `rollcall search` asks all dates")
    record = Investigation.of(context, investigation, asked_by, purpose, for_case)
    work = prepared(context, [run_date], **asked)
    with ledger.run(context, gallery_name=work.gallery.name, k=work.question.k) as run:
        matches, decisions = work.answer(run)
        decided = decisions.select("face_id", "decision")
        findings = (
            matches.join(decided, "face_id")
            .select(
                F.col("person_id").alias("asked"),
                "face_id",
                "rank",
                "similarity",
                F.lit(None).cast("double").alias("strangers"),
                "gallery_name",
                "person_id",
                "sample_id",
                "decision",
                "image_id",
                "run_date",
                F.lit(None).cast("string").alias("asked_uri"),
                F.lit(None).cast("struct<left: double, top: double, right: double, bottom: double>").alias("asked_box"),
            )
            .localCheckpoint()
        )
        count = findings.count()
        run.count("found", count)
        record.write(
            context,
            run,
            kind="identify",
            question=asked_of(context),
            contract_id=work.gallery.contract_id,
            searched=work.gallery.count,
            findings=findings,
            count=count,
        )
    return run.counts
