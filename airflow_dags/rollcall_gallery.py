"""Every evening: the gallery follows its manifest, left-over images are embedded, all dates are brought up to date."""

from datetime import timedelta

from airflow.sdk import DAG
from rollcall_submit import DEFAULTS, FACES, GALLERY, MATCHES, START, RollcallJob, at

_NAME = "{{ var.value.rollcall_gallery_name }}"

with DAG(
    "rollcall_gallery",
    description=__doc__,
    schedule=at("0 20 * * *"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    tags=["rollcall"],
):
    enroll = RollcallJob(
        task_id="enroll",
        job="enroll",
        arguments=["--gallery", "{{ var.value.rollcall_gallery }}", "--gallery-name", _NAME, "--sync"],
        options="{{ var.value.get('rollcall_enroll_options', '') }}",
        on_gpu=True,
        outlets=[GALLERY],
        execution_timeout=timedelta(hours=6),
    )
    # Images that could not be read at night, or were listed late: no later night looks at their date.
    embed = RollcallJob(
        task_id="embed",
        job="embed",
        arguments=["--all-pending"],
        on_gpu=True,
        outlets=[FACES],
        execution_timeout=timedelta(hours=12),
    )
    identify = RollcallJob(
        task_id="identify",
        job="identify",
        arguments=["--all-dates", "--gallery-name", _NAME],
        outlets=[MATCHES],
        execution_timeout=timedelta(hours=12),
    )
    enroll >> embed >> identify
