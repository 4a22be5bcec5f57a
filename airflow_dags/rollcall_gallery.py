"""The gallery as its manifest has it, and then all dates against what has changed."""

from datetime import datetime, timedelta

from airflow.sdk import DAG
from rollcall_submit import DEFAULTS, GALLERY, MATCHES, RollcallJob

_NAME = "{{ var.value.rollcall_gallery_name }}"

with DAG(
    "rollcall_gallery",
    description=__doc__,
    schedule="0 20 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["rollcall"],
):
    enroll = RollcallJob(
        task_id="enroll",
        job="enroll",
        arguments=["--gallery", "{{ var.value.rollcall_gallery }}", "--gallery-name", _NAME, "--sync"],
        on_gpu=True,
        outlets=[GALLERY],
        execution_timeout=timedelta(hours=6),
    )
    identify = RollcallJob(
        task_id="identify",
        job="identify",
        arguments=["--all-dates", "--gallery-name", _NAME],
        outlets=[MATCHES],
        execution_timeout=timedelta(hours=12),
    )
    enroll >> identify
