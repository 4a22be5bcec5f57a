"""Every week: small files are joined, old ones removed, and what someone should look at is said."""

from datetime import datetime, timedelta

from airflow.sdk import DAG
from rollcall_submit import DEFAULTS, RollcallJob

with DAG(
    "rollcall_weekly",
    description=__doc__,
    schedule="0 12 * * 0",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["rollcall"],
):
    maintain = RollcallJob(task_id="maintain", job="maintain", execution_timeout=timedelta(hours=6))
    # It fails when someone should look, which trying again does not change.
    status = RollcallJob(task_id="status", job="status", retries=0, execution_timeout=timedelta(hours=1))
    maintain >> status
