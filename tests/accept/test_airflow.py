"""The DAGs in a real Airflow, which runs the true jobs on the demo's lake."""

import json
import subprocess
import time
from copy import copy
from pathlib import Path

import pytest

from demo.photos import RUN_DATE
from jobs.run.context import Context
from tests.airflow_here import AIRFLOW, Airflow
from tests.conftest import ROOT
from tests.processes import descendants, kill, wait_until
from tests.spark_submit import PROGRAM
from tests.support import MakeContext, assert_same_tables, copied, root_of, rows_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NIGHTLY = ("images", "image_outcomes", "faces", "matches", "identifications", "searches")


@pytest.fixture(scope="module")
def tables(made: MakeContext, enrolled: Context) -> Context:
    """Tables with a gallery and nothing else."""
    return copied(made, enrolled, "nightly")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def airflow(tables: Context, lake: Path, pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    return Airflow(tmp_path_factory.mktemp("airflow") / "home", str(tables.tables.root), lake, pages)


def test_every_dag_is_imported(airflow: Airflow) -> None:
    airflow("dags", "reserialize")
    assert "No data found" in airflow("dags", "list-import-errors")
    for dag in ("nightly", "gallery", "weekly", "evaluate"):
        began = time.monotonic()
        path = ROOT / "airflow_dags" / f"rollcall_{dag}.py"
        code = f"import sys, time, airflow.sdk; began = time.monotonic(); sys.path.insert(0, {str(path.parent)!r})"
        code += f"; import rollcall_{dag}; print(time.monotonic() - began)"
        python = str(AIRFLOW.with_name("python"))
        done = subprocess.run(
            [python, "-c", code], env=airflow.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        print(
            f"\n{path.name}: {float(done.stdout.splitlines()[-1]):.2f} s, {time.monotonic() - began:.2f} s with Airflow"
        )


def test_the_week_removes_what_is_over_before_it_maintains(
    airflow: Airflow, made: MakeContext, undisturbed: Context
) -> None:
    """Where nothing is configured, nothing; the night is of January, so all of it is over where something is."""
    code = "import json, rollcall_weekly as weekly; dag = weekly.maintain.dag"
    code += "; of = lambda task: [*sorted(task.upstream_task_ids), task.trigger_rule]"
    code += "; print(json.dumps({task.task_id: of(task) for task in dag.tasks}))"
    python, place = str(AIRFLOW.with_name("python")), {"PYTHONPATH": str(ROOT / "airflow_dags")}
    done = subprocess.run(
        [python, "-c", code], env=airflow.environment | place, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "retain": ["all_success"],
        "maintain": ["retain", "all_done"],
        "status": ["maintain", "all_done"],
        "all_well": ["maintain", "retain", "status", "all_success"],
    }
    context = copied(made, undisturbed, "weekly")
    before = context.tables.read("faces").count()
    known = context.tables.read("identifications").where("decision IN ('match', 'review')").count()
    assert 0 < known < before
    options = airflow.environment["AIRFLOW_VAR_ROLLCALL_OPTIONS"]
    week = copy(airflow)
    week.environment = {**airflow.environment, "AIRFLOW_VAR_ROLLCALL_TABLES": str(root_of(context))}
    for more, left in (("", before), (" --set retention.unknown_faces=1 --set retention.rejected_images=1", known)):
        week.environment["AIRFLOW_VAR_ROLLCALL_OPTIONS"] = options + more
        week("tasks", "test", "rollcall_weekly", "retain")
        assert context.tables.read("faces").count() == left
    assert {row.outcome for row in context.tables.read("image_outcomes").collect()} == {"faces", "no_face"}
    week("tasks", "test", "rollcall_weekly", "maintain")


def test_the_date_of_a_run_its_spark_submit_and_the_error_of_a_task(airflow: Airflow) -> None:
    own, other = str(PROGRAM), str(AIRFLOW.with_name("spark-submit"))
    done = subprocess.run(
        [AIRFLOW.with_name("python"), Path(__file__).with_name("airflow_answers.py"), own, other],
        env=airflow.environment | {"PYTHONPATH": str(ROOT / "airflow_dags")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    assert answers.pop("asset_triggered").startswith(
        "refused: which date is this run for? A run of type 'asset_triggered' does not say; trigger it with"
    )
    assert answers.pop("manual").startswith("refused: which date is this run for?")
    assert answers.pop(other).startswith(f"refused: {other} is not the spark-submit of the environment Rollcall is")
    assert "rollcall_spark has deploy mode 'cluster'; the DAGs need client" in answers.pop("cluster")
    assert answers == {
        "client": "None",
        "scheduled": "2026-01-31",
        "backfill": "2026-01-31",
        "manual with a date": "2026-01-05",
        "asset_triggered with a date": "2026-01-05",
        own: own,
        "given wrong": "AirflowFailException: rollcall: no gallery 'x'",
        "failed": "AirflowException: rollcall: failed: no space",
        "killed": "AirflowException: Cannot execute: spark-submit",
    }


def test_a_run_without_a_date_is_refused(airflow: Airflow) -> None:
    process = airflow.start("dags", "test", "rollcall_nightly")
    said, _ = process.communicate(timeout=300)
    assert "which date is this run for? A run of type 'manual' does not say" in said
    assert "Spark-Submit cmd" not in said


def test_a_night_that_is_killed_and_run_again_and_once_more(
    airflow: Airflow, tables: Context, undisturbed: Context, pages: Path
) -> None:
    night = ("dags", "test", "rollcall_nightly", "-c", json.dumps({"run_date": RUN_DATE}))
    killed = airflow.start(*night)
    wait_until((root_of(tables) / "staged" / "_delta_log" / "00000000000000000001.json").exists, killed, seconds=400)
    kill(killed.pid, *descendants(killed.pid))  # spark-submit has a session of its own
    killed.communicate(timeout=60)
    staged = {row.image_id: row.run_id for row in tables.tables.read("staged").collect()}
    assert len(staged) == 12
    assert tables.tables.read_or_empty("image_outcomes").isEmpty()

    said = airflow(*night)
    # What the killed run had computed was not computed again.
    assert {row.image_id: row.run_id for row in tables.tables.read("image_outcomes").collect()} == staged
    assert "ledger: rollcall sql --tables" in said
    assert f"page: file://{pages}/{RUN_DATE}.html" in said
    assert "obama" in (pages / f"{RUN_DATE}.html").read_text()
    assert_same_tables(tables, undisturbed, *NIGHTLY)

    before = {name: tables.tables.read(name).collect() for name in NIGHTLY}
    airflow(*night)
    for name in NIGHTLY:  # run_ids too: nothing was written again
        assert sorted(map(repr, tables.tables.read(name).collect())) == sorted(map(repr, before[name])), name
    assert rows_of(tables.tables.read("staged")) == []
