"""Every week: small files are joined, old ones removed, and the task `status` fails if someone should look."""

from datetime import timedelta

from airflow.sdk import DAG
from rollcall_submit import DEFAULTS, START, RollcallJob, at

with DAG(
    "rollcall_weekly",
    description=__doc__,
    schedule=at("0 12 * * 0"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["rollcall"],
):
    maintain = RollcallJob(task_id="maintain", job="maintain", execution_timeout=timedelta(hours=6))
    # No retries: another try finds the same. It runs whether or not `maintain` succeeded.
    status = RollcallJob(
        task_id="status", job="status", retries=0, trigger_rule="all_done", execution_timeout=timedelta(hours=1)
    )
    maintain >> status
