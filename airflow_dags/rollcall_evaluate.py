"""Every month: error rates on labelled photos, compared with those that the calibration in force states."""

from datetime import timedelta

from airflow.sdk import DAG
from rollcall_submit import DEFAULTS, START, RollcallJob, at

BEGAN = "{{ dag_run.run_after.strftime('%Y%m%dT%H%M%S') }}"
"""Of any run; one that somebody began has no logical date."""

with DAG(
    "rollcall_evaluate",
    description=__doc__,
    schedule=at("0 6 1 * *"),
    start_date=START,
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
            *("--output", f"{{{{ var.value.rollcall_pages }}}}/evaluation-{BEGAN}"),
        ],
        options="{{ var.value.get('rollcall_evaluate_options', '--half second') }}",
        on_gpu=True,
        retries=0,
        execution_timeout=timedelta(hours=6),
    )
