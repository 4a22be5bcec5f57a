"""Sixty nights: what is kept does not grow any more, nothing that is held is removed, and nothing comes back."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from jobs.cluster import cluster
from jobs.identify import identify
from jobs.maintain import maintain
from jobs.report import report
from jobs.retain import retain
from jobs.run.context import Context
from jobs.search import search
from jobs.status import status
from tests.jobs.retention.made_nights import Nights, findings, investigation, random_nights
from tests.rows import put_contract, put_samples, unit
from tests.support import MakeContext, root_of

FIRST, NIGHTS, IMAGES, AT_ONCE = date(2024, 1, 1), 60, 12, 10
LIMITS = {"matches": 21, "faces_in_review": 14, "unknown_faces": 7, "too_small": 7}
SETTINGS = (
    *(f"retention.{kind}={days}" for kind, days in LIMITS.items() if kind != "too_small"),
    *("retention.images_without_faces=3", "retention.rejected_images=3", "retention.sources.street.unknown_faces=2"),
    "cluster.minimum_sharpness=0",
    *("thresholds.dlib-resnet-v1.keep_floor=0.1", "thresholds.dlib-resnet-v1.review=0.5"),
)
KIND = {"match": "matches", "review": "faces_in_review", "unknown": "unknown_faces", "too_small": "unknown_faces"}
HELD = f"{FIRST}-"
"""The faces of the first night are those of an investigation."""


def data_files(context: Context) -> tuple[int, int]:
    """Number and bytes of the files of the tables that grow with the nights, those of earlier versions included."""
    names = ("images", "image_outcomes", "faces", "identifications", "matches")
    files = [
        file
        for name in names
        for file in (root_of(context) / name).rglob("*.parquet")
        if "_delta_log" not in file.parts
    ]
    return len(files), sum(file.stat().st_size for file in files)


def expected_faces(nights: list[tuple[date, Nights]], on: date, held: set[str]) -> set[str]:
    """By hand, face by face, of what was written."""
    kept = set()
    for day, night in nights:
        source = {row["image_id"]: row["source"] for row in night.rows("images")}
        decided = {row["face_id"]: row for row in night.rows("identifications")}
        for face in night.rows("faces"):
            kind = KIND[str(decided[face["face_id"]]["decision"])]
            days = 2 if (kind, source[face["image_id"]]) == ("unknown_faces", "street") else LIMITS[kind]
            if (on - day).days <= days or face["face_id"] in held:
                kept.add(str(face["face_id"]))
    return kept


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_what_is_kept_is_bounded(make_context: MakeContext, tmp_path: Path) -> None:
    context = make_context("tables", *SETTINGS)
    put_contract(context)
    put_samples(context, unit(4, seed=3), list("abcd"))
    nights = list(random_nights(NIGHTS, FIRST, IMAGES, seed=1))
    first = nights[0][1].rows("faces")
    held = {str(row["face_id"]) for row in first}
    sizes: list[tuple[int, int, int]] = []
    for start in range(0, NIGHTS, AT_ONCE):
        together = Nights()
        for _, night in nights[start : start + AT_ONCE]:
            together.put_all(night)
        if not start:
            found = [(str(row["face_id"]), str(row["image_id"]), FIRST) for row in first]
            together.put("investigations", investigation("gate 3", findings=len(found)))
            together.put("findings", *findings("gate 3", "photo.jpg", found))
        together.write(context)
        last = min(start + AT_ONCE, NIGHTS)
        on = FIRST + timedelta(days=last)
        counts = retain(context, on=on, yes=True)
        assert counts["held"] <= len(held)
        faces = {row.face_id for row in context.tables.read("faces").select("face_id").collect()}
        assert faces == expected_faces(nights[:last], on, held)
        for name in ("identifications", "matches"):
            assert {row.face_id for row in context.tables.read(name).select("face_id").collect()} == faces, name
        if last % 20 == 0:
            maintain(context, retain=0)
            sizes.append((context.tables.read("images").count(), *data_files(context)))
    for figures in zip(*sizes, strict=True):  # rows, files, bytes
        assert max(figures) <= 1.3 * min(figures), sizes
    assert context.tables.read("images").count() < NIGHTS * IMAGES / 2

    # A night that is run again: nothing comes back, and whatever asks the tables answers.
    day = FIRST + timedelta(days=NIGHTS - 10)
    before = context.tables.read("faces").count()
    identify(context, run_date=day, gallery_name="g")
    assert context.tables.read("faces").count() == before
    decided = context.tables.read("identifications").where(F.col("run_date") == F.lit(day))
    here = context.tables.read("faces").where(F.col("run_date") == F.lit(day))
    assert {row.face_id for row in decided.collect()} == {row.face_id for row in here.collect()}
    some = sorted(held)[0]
    found = search(context, face_id=some, k=3)
    assert found.findings
    cluster(context)
    members = {row.face_id for row in context.tables.read("cluster_members").select("face_id").collect()}
    assert members <= {row.face_id for row in context.tables.read("faces").select("face_id").collect()}
    status(context)
    report(context, run_date=day, blackout=True, output=tmp_path / "day.html")
    assert (tmp_path / "day.html").exists()
