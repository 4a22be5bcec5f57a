"""`airflow backfill` over three dates, the newest first, in a real Airflow with its scheduler.

Not part of `make accept`, as it takes as long as three nights of Airflow do: `make accept-backfill`.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from demo.photos import RUN_DATE
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from tests.airflow_here import AIRFLOW, Airflow
from tests.processes import descendants, free_port, kill, wait_until
from tests.support import MakeContext, assert_same_tables

pytestmark = [pytest.mark.apart, pytest.mark.timeout(1500)]

DAYS = [date.fromisoformat(RUN_DATE) + timedelta(days=number) for number in range(3)]


@contextmanager
def running(airflow: Airflow, log: Path) -> Iterator[None]:
    """Its scheduler, and what it needs."""
    port = str(free_port())
    airflow.environment |= {
        "AIRFLOW__API__PORT": port,
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "PATH": f"{AIRFLOW.parent}{os.pathsep}{airflow.environment['PATH']}",
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(AIRFLOW), "standalone"], env=airflow.environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield
    finally:
        doomed = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        finally:
            kill(process.pid, *doomed)


def test_three_dates_the_newest_first(
    make_context: MakeContext, demo_photos: tuple[Path, Path], tmp_path: Path
) -> None:
    photos = sorted((demo_photos[0] / RUN_DATE).iterdir())
    for number, day in enumerate(DAYS):
        to = tmp_path / "lake" / day.isoformat()
        to.mkdir(parents=True)
        for photo in photos[number :: len(DAYS)]:
            shutil.copy2(photo, to / photo.name)
    backfilled, in_order = make_context("backfilled"), make_context("in_order")
    for context in (backfilled, in_order):
        enroll(context, gallery=str(demo_photos[1]), gallery_name="people")

    airflow = Airflow(tmp_path / "airflow", str(backfilled.tables.root), tmp_path / "lake", tmp_path / "pages")
    with running(airflow, tmp_path / "airflow.log"):
        wait_until(lambda: "rollcall_nightly" in airflow("dags", "list"), pause=5)
        airflow("dags", "unpause", "rollcall_nightly")
        first, last = (day + timedelta(days=1) for day in (DAYS[0], DAYS[-1]))  # a run is for the day before
        window = ("--from-date", f"{first}T00:00:00+00:00", "--to-date", f"{last}T23:00:00+00:00")
        order = ("--run-backwards", "--max-active-runs", "1")
        airflow("backfill", "create", "--dag-id", "rollcall_nightly", *window, *order)
        runs = sorted(
            wait_until(lambda: all_ended(airflow), seconds=1000, pause=5), key=lambda run: str(run["start_date"])
        )
    dates = [datetime.fromisoformat(str(run["logical_date"])).date() - timedelta(days=1) for run in runs]
    assert dates == DAYS[::-1]
    assert all(str(earlier["end_date"]) <= str(later["start_date"]) for earlier, later in pairwise(runs))

    for day in DAYS:
        ingest(in_order, source=f"{tmp_path}/lake/{{run_date}}/", run_date=day)
        embed(in_order, run_date=day)
        identify(in_order, run_date=day)
    assert_same_tables(backfilled, in_order, "images", "image_outcomes", "faces", "matches", "identifications")
    assert {page.stem for page in (tmp_path / "pages").glob("*.html")} == {day.isoformat() for day in DAYS}


def all_ended(airflow: Airflow) -> list[dict[str, object]]:
    """The runs of the backfill, once all of them have ended well."""
    said = airflow("dags", "list-runs", "rollcall_nightly", "--output", "json")
    runs: list[dict[str, object]] = json.loads(said[said.index("[{") :]) if "[{" in said else []
    failed = [run for run in runs if "backfill" in str(run["run_id"]) and run["state"] == "failed"]
    assert not failed, failed
    ended = [run for run in runs if "backfill" in str(run["run_id"]) and run["state"] == "success"]
    return ended if len(ended) == len(DAYS) else []
