"""Run by Airflow's own interpreter: which date runs are for, which spark-submit is taken; answers are JSON lines."""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from airflow.sdk.exceptions import AirflowFailException
from rollcall_submit import Said, application_submit, refuse_cluster_mode, run_date

NIGHT = datetime(2026, 2, 1, 2, tzinfo=UTC)


def answer(name: str, ask: Callable[[], Any]) -> None:
    try:
        said = str(ask())
    except AirflowFailException as refused:
        said = f"refused: {refused}"
    print(json.dumps([name, said]))


def date_of(kind: str, night: datetime | None, given: str | None = None) -> str:
    return run_date.function({"run_date": given}, SimpleNamespace(run_type=kind, logical_date=night))


def is_of_input(*lines: str) -> bool:
    said = Said()
    assert list(said.heard(lines)) == list(lines)
    return said.is_of_input


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
WRONG = '26/01/31 INFO x: {"at": "t", "level": "ERROR", "message": "rollcall: no gallery \'x\'"}'
FAILED = '{"at": "t", "level": "ERROR", "message": "rollcall: failed: no space left on device"}'
answer("given wrong", lambda: is_of_input("a line", WRONG))
answer("failed", lambda: is_of_input(FAILED, '{"at": no json'))
answer("killed", lambda: is_of_input("a line"))
