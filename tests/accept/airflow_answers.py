"""Run by Airflow's own interpreter: a run's date, the spark-submit, the error of a task; answers are JSON lines."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import AirflowFailException
from rollcall_log import JobLog
from rollcall_submit import application_submit, failure, refuse_cluster_mode, run_date

NIGHT = datetime(2026, 2, 1, 2, tzinfo=UTC)


def answer(name: str, ask: Callable[[], Any]) -> None:
    try:
        said = str(ask())
    except AirflowFailException as refused:
        said = f"refused: {refused}"
    print(json.dumps([name, said]))


def date_of(kind: str, night: datetime | None, given: str | None = None) -> str:
    return run_date.function({"run_date": given}, SimpleNamespace(run_type=kind, logical_date=night))


def failure_of(**fields: object) -> str:
    job_log = JobLog()
    list(job_log.reading([json.dumps({"at": "t", **fields})]))
    error = failure(job_log, "Cannot execute: spark-submit")
    return f"{type(error).__name__}: {error}"


answer("scheduled", lambda: date_of("scheduled", NIGHT))
answer("backfill", lambda: date_of("backfill", NIGHT))
answer("manual with a date", lambda: date_of("manual", NIGHT, "2026-01-05"))
answer("manual", lambda: date_of("manual", NIGHT))
answer("asset_triggered", lambda: date_of("asset_triggered", None))
answer("asset_triggered with a date", lambda: date_of("asset_triggered", None, "2026-01-05"))
for program in sys.argv[1:]:
    answer(program, lambda program=program: application_submit(program))
answer("client", lambda: refuse_cluster_mode({"deploy-mode": "client"}))
answer("cluster", lambda: refuse_cluster_mode({"deploy-mode": "cluster"}))
answer("given wrong", lambda: failure_of(level="ERROR", message="rollcall: no gallery 'x'", exit_code=2))
answer("failed", lambda: failure_of(level="ERROR", message="rollcall: failed: no space", exit_code=1))
answer("killed", lambda: failure_of(level="INFO", message="embed: 12 images pending"))
