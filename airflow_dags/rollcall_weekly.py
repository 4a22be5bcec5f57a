"""Every week: what the settings keep no longer is removed, small files are joined, old ones removed, and the task
`status` fails if someone should look.
"""

from datetime import timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
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
    # Where no retention is configured, it says so and does nothing.
    retain = RollcallJob(task_id="retain", job="retain", arguments=["--yes"], execution_timeout=timedelta(hours=6))
    # It runs whether or not `retain` succeeded.
    maintain = RollcallJob(
        task_id="maintain", job="maintain", trigger_rule="all_done", execution_timeout=timedelta(hours=6)
    )
    # No retries: another try finds the same. It runs whether or not `maintain` succeeded.
    status = RollcallJob(
        task_id="status", job="status", retries=0, trigger_rule="all_done", execution_timeout=timedelta(hours=1)
    )
    # A run of a DAG is what its last tasks are.
    all_well = EmptyOperator(task_id="all_well", trigger_rule="all_success")
    retain >> maintain >> status >> all_well
    [retain, maintain] >> all_well
