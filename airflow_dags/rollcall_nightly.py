"""Every night: the images of a date are listed, embedded and identified, and a page shows the outcome."""

from datetime import timedelta

from airflow.sdk import DAG
from rollcall_submit import DAY, DEFAULTS, FACES, MATCHES, RUN_DATE, START, RollcallJob, at, run_date

with DAG(
    "rollcall_nightly",
    description=__doc__,
    schedule=at("0 2 * * *"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULTS,
    params={"run_date": RUN_DATE},
    tags=["rollcall"],
):
    ingest = RollcallJob(
        task_id="ingest",
        job="ingest",
        arguments=["--source", "{{ var.value.rollcall_source }}", "--run-date", DAY],
        execution_timeout=timedelta(hours=2),
    )
    embed = RollcallJob(
        task_id="embed",
        job="embed",
        arguments=["--run-date", DAY],
        on_gpu=True,
        outlets=[FACES],
        execution_timeout=timedelta(hours=12),
    )
    identify = RollcallJob(
        task_id="identify",
        job="identify",
        arguments=["--run-date", DAY, "--gallery-name", "{{ var.value.rollcall_gallery_name }}"],
        outlets=[MATCHES],
        execution_timeout=timedelta(hours=6),
    )
    summary = RollcallJob(
        task_id="summary",
        job="summary",
        arguments=["--run-date", DAY, "--output", "{{ var.value.rollcall_pages }}/" + DAY + ".html"],
        execution_timeout=timedelta(hours=1),
    )
    run_date() >> ingest >> embed >> identify >> summary
