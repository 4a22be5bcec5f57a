"""Every month: error rates on labelled photos, held against what the calibration in force states."""

from datetime import datetime, timedelta

from airflow.sdk import DAG
from rollcall_submit import DEFAULTS, RollcallJob

with DAG(
    "rollcall_evaluate",
    description=__doc__,
    schedule="0 6 1 * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["rollcall"],
):
    RollcallJob(
        task_id="evaluate",
        job="evaluate",
        arguments=[
            *("--protocol", "open-set", "--check"),
            *("--images", "{{ var.value.rollcall_labelled }}"),
            *("--output", "{{ var.value.rollcall_pages }}/evaluation-{{ ts_nodash }}"),
        ],
        on_gpu=True,
        retries=0,
        execution_timeout=timedelta(hours=6),
    )
