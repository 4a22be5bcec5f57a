"""The nightly chain on an S3-compatible store: images are read at s3:// by pyarrow, tables are at s3a:// by Hadoop.

Not part of `make accept`, as Hadoop's connector is a download of 700 MB: `make accept-s3`.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.options import Context
from jobs.properties import properties
from tests.accept.nights import SETTINGS, seen
from tests.object_store import ObjectStore, object_store
from tests.spark_submit import ended, submit, written
from tests.support import SHORT_LIVED, MakeContext, rows_of

pytestmark = [pytest.mark.apart, pytest.mark.timeout(1200)]


class Submit:
    """spark-submit with tables in the store."""

    def __init__(self, store: ObjectStore, folder: Path) -> None:
        mine = {
            "spark.master": "local[2]",
            "spark.driver.extraJavaOptions": SHORT_LIVED,
            "spark.hadoop.fs.s3a.endpoint": store.endpoint,
            "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
            "spark.hadoop.fs.s3a.path.style.access": "true",
        }
        self._properties = written(folder / "spark.conf", properties("local", "s3") | mine)
        self._variables = store.environment

    def __call__(self, job: str, *arguments: str) -> str:
        tables = ("--tables", "s3a://lake/rollcall", *SETTINGS)
        return ended(submit(self._properties, job, *arguments, *tables, variables=self._variables))


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
