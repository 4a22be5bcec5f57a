"""All faces that were ever seen are searched for those that are most like what is asked."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.decisions.strangers import stranger_rates
from jobs.faces.images import images_of
from jobs.investigations.asked import AskedFaces, asked_faces
from jobs.investigations.findings import Finding, described, ranked
from jobs.investigations.record import Investigation, asked_of
from jobs.matching.nearest_faces import SearchScope, nearest_faces
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import FINDINGS
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id


@dataclass(frozen=True)
class Answer:
    """asked: what was asked with. searched: how many faces. calibrated: whether it is known how many strangers are to
    be expected."""

    asked: AskedFaces
    findings: list[Finding]
    searched: int
    calibrated: bool


def search_lake(
    context: Context,
    *,
    photo: str | None,
    face_id: str | None,
    person: str | None,
    gallery_name: str | None,
    number: int | None,
    numbered: Path | None,
    k: int,
    first: date | None,
    last: date | None,
    source: str | None,
    case_id: str | None,
    investigation: str | None,
    purpose: str | None,
    asked_by: str | None,
    for_case: str | None,
) -> Answer:
    """Find the k faces of the lake that are most like each question. The arguments are those of `rollcall search`.

    Raises:
        InputError: nothing to ask with, no faces to search, no purpose where one is asked for, or a name that another
            investigation has.
    """
    if first is not None and last is not None and first > last:
        raise InputError(f"--from {first} is after --to {last}")
    context.tables.read("faces")  # without any: said before a photo is looked at
    record = Investigation.of(context, investigation, asked_by, purpose, for_case)
    asked = asked_faces(context, photo, face_id, person, gallery_name, number, numbered)
    _refuse_other_contracts(context, asked.contract_id)
    scope = SearchScope(first, last, images_of(context, source, case_id))
    with ledger.run(context) as run:
        near = nearest_faces(context, asked.contract_id, asked.vectors, k, scope, asked.left_out)
        run.digests.update(contract=asked.contract_id, faces=near.digest)
        nearest = ranked(near.near, asked, k)
        rates = stranger_rates(context, asked.contract_id)
        strangers = (
            None if rates is None else rates.expected(np.array([of.similarity for of in nearest]), near.searched)
        )
        findings = described(context, nearest, strangers)
        run.count("asked", len({face.name for face in asked.faces}))
        run.count("searched", near.searched)
        run.count("found", len(findings))
        if asked.pictures:
            run.digests["photos"] = stable_id("photos", *asked.pictures.values())
        record.write(
            context,
            run,
            kind="search",
            question=asked_of(context),
            contract_id=asked.contract_id,
            searched=near.searched,
            findings=_rows(context, findings, asked),
            count=len(findings),
        )
    return Answer(asked, findings, near.searched, rates is not None)


def _refuse_other_contracts(context: Context, contract_id: str) -> None:
    faces = context.tables.read("faces").select("contract_id")
    if not faces.where(F.col("contract_id") == contract_id).limit(1).isEmpty():
        return
    contracts = context.tables.read_or_empty("contracts").join(faces.distinct(), "contract_id").collect()
    if not contracts:
        raise InputError(f"{context.tables.place} has no faces yet; run `rollcall embed` first")
    told = ", ".join(sorted(f"{row.embedder} on {row.detector} ({row.contract_id[:12]})" for row in contracts))
    raise InputError(
        f"the faces in the tables are of other models than what is asked with ({contract_id[:12]}): {told}; search with"
        " the settings that they were embedded with"
    )


def _rows(context: Context, findings: list[Finding], asked: AskedFaces) -> DataFrame:
    """As the table findings has them."""
    same = ("asked", "face_id", "rank", "similarity", "strangers", "person_id", "decision", "image_id", "run_date")
    rows = [
        {
            **{name: getattr(finding, name) for name in same},
            "gallery_name": None,
            "sample_id": None,
            "asked_uri": asked.faces[finding.by].uri or None,
            "asked_box": asked.faces[finding.by].box,
        }
        for finding in findings
    ]
    written = [field for field in FINDINGS.schema if field.name not in ("investigation", "contract_id", "run_id")]
    return local_frame(context.spark, rows, T.StructType(written))
