"""The nightly chain on an S3-compatible store: images are read at s3:// by pyarrow, tables are at s3a:// by Hadoop.

Not part of `make accept`, as Hadoop's connector is a download of 700 MB: `make accept-s3`.
"""

import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context
from jobs.run.spark_properties import properties
from tests.accept.nights import SETTINGS, seen
from tests.conftest import ROOT
from tests.object_store import ObjectStore, object_store
from tests.spark_submit import ended, submit, submit_file, written
from tests.support import MakeContext, rows_of

pytestmark = [pytest.mark.apart, pytest.mark.timeout(1200)]


TABLES = "s3a://lake/rollcall"


class Submit:
    """spark-submit with tables in the store."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        mine = {
            "spark.master": "local[2]",
            "spark.jars": str(ROOT / "dist" / "log-store.jar"),
            "spark.hadoop.fs.s3a.endpoint": store.endpoint,
            "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
        }
        self._properties = written(folder / "spark.conf", properties("local", "s3") | mine)
        self._variables = store.environment

    def __call__(self, job: str, *arguments: str) -> str:
        tables = ("--tables", TABLES, *SETTINGS)
        return ended(submit(self._properties, job, *arguments, *tables, variables=self._variables))

    def writer(self, runs: int) -> subprocess.Popen[str]:
        """A driver that writes to the ledger as often and as fast as it can."""
        program = Path(__file__).with_name("s3_writer.py")
        return submit_file(self._properties, program, TABLES, str(runs), variables=self._variables)


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with object_store() as started:
        yield started


def test_the_chain_on_an_object_store(
    store: ObjectStore, make_context: MakeContext, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    photos, people = demo_photos
    store.put(photos, "cctv")
    store.put(people, "people")
    submit = Submit(store, tmp_path)
    submit("enroll", "--gallery", "s3://lake/people", "--gallery-name", "people")
    night = (
        ("ingest", "--source", "s3://lake/cctv/{run_date}/", "--run-date", RUN_DATE),
        ("embed", "--run-date", RUN_DATE),
        ("identify", "--run-date", RUN_DATE),
    )
    for job in night:
        submit(*job)
    remote = downloaded(store, make_context, tmp_path, "remote")

    here = make_context("here")
    enroll(here, gallery=str(people), gallery_name="people")
    ingest(here, source=f"{photos}/{{run_date}}/", run_date=date.fromisoformat(RUN_DATE))
    embed(here, run_date=date.fromisoformat(RUN_DATE))
    identify(here, run_date=date.fromisoformat(RUN_DATE))
    for table in ("image_outcomes", "faces", "identifications", "matches"):
        assert seen(remote, table) == seen(here, table), table

    for job in night:
        submit(*job)
    again = downloaded(store, make_context, tmp_path, "again")
    for table in ("images", "image_outcomes", "faces", "identifications", "matches"):
        assert rows_of(again.tables.read(table), "run_id") == rows_of(remote.tables.read(table), "run_id")


def test_drivers_that_write_at_once_lose_nothing(store: ObjectStore, make_context: MakeContext, tmp_path: Path) -> None:
    submit, runs = Submit(store, tmp_path), 8
    for driver in [submit.writer(runs) for _ in range(3)]:
        ended(driver)
    ledger = downloaded(store, make_context, tmp_path, "ledger").tables.read("runs")
    events = Counter((row.run_id, row.event) for row in ledger.select("run_id", "event").collect())
    assert len(events) == 3 * runs * 2
    assert set(events.values()) == {1}
    assert store.refused_puts > 3  # they did meet: each driver has tried the store once


def test_a_commit_whose_answer_is_lost_is_there_once(
    store: ObjectStore, make_context: MakeContext, tmp_path: Path
) -> None:
    store.answers_to_lose = 3
    ended(Submit(store, tmp_path).writer(2))
    assert store.answers_to_lose == 0
    ledger = downloaded(store, make_context, tmp_path, "ledger").tables.read("runs")
    assert Counter(row.event for row in ledger.select("event").collect()) == {"started": 2, "finished": 2}


def test_a_store_that_overwrites_what_it_should_keep_is_refused(store: ObjectStore, tmp_path: Path) -> None:
    store.ignore_conditions = True
    said = ended(Submit(store, tmp_path).writer(1), code=1)
    assert "s3a://lake overwrites what it was told to keep (it ignores If-None-Match)" in said


def downloaded(store: ObjectStore, make_context: MakeContext, folder: Path, name: str) -> Context:
    """The tables of the store, as tables of this machine: Delta names files relative to a table."""
    for page in store.client.get_paginator("list_objects_v2").paginate(Bucket="lake", Prefix="rollcall/"):
        for found in page.get("Contents", []):
            if found["Key"].endswith("/"):
                continue
            path = folder / name / found["Key"].removeprefix("rollcall/")
            path.parent.mkdir(parents=True, exist_ok=True)
            store.client.download_file("lake", found["Key"], str(path))
    return make_context(name)
