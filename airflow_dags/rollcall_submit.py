"""What the DAGs share: a job as a task, and the date a run is for.

Locations come from Airflow: the connection `rollcall_spark` says where Spark is; the variables say where the
application, the tables and the sources are.

| variable | what |
|---|---|
| rollcall_home | the folder with `jobs/` and `conf/`, on the machine that submits |
| rollcall_spark_submit | spark-submit of the environment the application is installed in |
| rollcall_tables | where the tables are, for `--tables` |
| rollcall_options | arguments that all jobs get, e.g. `--set vision.embedder=dlib-resnet-v1`; may be empty |
| rollcall_properties | the Spark properties file, from `rollcall properties` |
| rollcall_gpu_properties | the same for jobs on GPUs: embed, enroll, evaluate; rollcall_properties unless set |
| rollcall_source | what `ingest` lists, e.g. `s3://lake/cctv/{run_date}/` |
| rollcall_gallery, rollcall_gallery_name | the manifest or folder of those to register, and the gallery's name |
| rollcall_enroll_options | other arguments of `enroll`, e.g. `--allow-other-columns`; may be empty |
| rollcall_pages | the folder for pages |
| rollcall_labelled | labelled photos, for the monthly evaluation |
| rollcall_evaluate_options | its other arguments; `--half second` unless set: the half that `calibrate` has not used |

The driver runs on the machine of the task: the connection's deploy mode must be client.
"""

import shlex
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Asset, BaseHook, CronTriggerTimetable, Param, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from rollcall_log import JobLog

CONNECTION = "rollcall_spark"
POOL, GPU_POOL = "rollcall", "rollcall_gpu"
"""For jobs without GPUs, which write one after the other; and for jobs with GPUs, with a slot for each at once."""

FACES = Asset(name="rollcall_faces", uri="x-rollcall://faces")
MATCHES = Asset(name="rollcall_matches", uri="x-rollcall://matches")
GALLERY = Asset(name="rollcall_gallery", uri="x-rollcall://gallery")

DEFAULTS: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(minutes=5),
    "retry_exponential_backoff": 2.0,
    "pool": POOL,
}
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(cron: str) -> CronTriggerTimetable:
    """A time in UTC, whatever zone and kind of schedule Airflow is configured for."""
    return CronTriggerTimetable(cron, timezone="UTC")


RUN_DATE = Param(
    None,
    type=["null", "string"],
    format="date",
    description="The date of the images, YYYY-MM-DD. Needed for runs that no schedule began.",
)
DAY = "{{ ti.xcom_pull(task_ids='run_date') }}"
"""The date, in the arguments of jobs: for DAGs that have the task `run_date`."""
_HOME = "{{ var.value.rollcall_home }}"
_PROPERTIES = "{{ var.value.rollcall_properties }}"
_GPU_PROPERTIES = "{{ var.value.get('rollcall_gpu_properties', var.value.rollcall_properties) }}"


class RollcallJob(SparkSubmitOperator):
    """One job of Rollcall by spark-submit.

    A job that fails logs why in one line, which becomes the task's error; the task's log has the query for the ledger's
    row. After wrong input (exit code 2) a job is not tried again, as it would fail again.

    job: the name of a file in `jobs`. arguments: as on the command line, templated. options: more arguments in one
    string, templated. on_gpu: whether it takes the properties and the pool of GPU jobs. The events of its outlets carry
    the run date, if the job has one.
    """

    template_fields: Sequence[str] = (*SparkSubmitOperator.template_fields, "options", "tables", "spark_submit")

    def __init__(
        self, *, job: str, arguments: Sequence[str] = (), options: str = "", on_gpu: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(
            conn_id=CONNECTION,
            application=f"{_HOME}/jobs/{job}.py",
            application_args=list(arguments),
            name=f"rollcall {job}",
            properties_file=_GPU_PROPERTIES if on_gpu else _PROPERTIES,
            **({"pool": GPU_POOL} if on_gpu else {}),
            **kwargs,
        )
        self.tables = "{{ var.value.rollcall_tables }}"
        self.options = "{{ var.value.get('rollcall_options', '') }} " + options
        self.spark_submit = "{{ var.value.rollcall_spark_submit }}"
        self._job_log = JobLog()

    def execute(self, context: Any) -> None:
        """Submit the job and wait for its end."""
        binary = application_submit(self.spark_submit)
        refuse_cluster_mode(BaseHook.get_connection(CONNECTION).extra_dejson)
        self._spark_binary = str(binary)
        self.env_vars = {"ROLLCALL_LOG": "json", "PYSPARK_DRIVER_PYTHON": str(binary.with_name("python"))}
        self.application_args = ["--tables", self.tables, *(self.application_args or []), *shlex.split(self.options)]
        try:
            super().execute(context)
        except AirflowException as error:
            raise failure(self._job_log, str(error)) from None
        finally:
            self._tell_where()
        if "--run-date" in self.application_args:
            run_date = self.application_args[self.application_args.index("--run-date") + 1]
            for asset in self.outlets:
                context["outlet_events"][asset].extra = {"run_date": run_date}

    def _get_hook(self) -> SparkSubmitHook:
        hook = super()._get_hook()
        hook._env = dict(self.env_vars or {})  # on Kubernetes the provider gives them to a driver in a pod alone
        process = hook._process_spark_submit_log
        hook._process_spark_submit_log = lambda lines: process(self._job_log.reading(lines))
        return hook

    def _tell_where(self) -> None:
        for run_id in self._job_log.run_ids:
            query = f"SELECT * FROM runs WHERE run_id = '{run_id}'"
            self.log.info('ledger: rollcall sql --tables %s "%s"', shlex.quote(self.tables), query)
        for page in self._job_log.pages:
            self.log.info("page: %s", page)


def application_submit(path: str) -> Path:
    """The spark-submit of Rollcall's environment: Airflow's own environment has another one, or none.

    Raises:
        AirflowFailException: there is none at that path, or Rollcall is not installed beside it.
    """
    binary = Path(path)
    if not binary.is_file() or not binary.with_name("rollcall").is_file():
        raise AirflowFailException(
            f"{path} is not the spark-submit of the environment Rollcall is installed in; set the variable"
            " rollcall_spark_submit to the one beside the command rollcall"
        )
    return binary


def failure(job_log: JobLog, otherwise: str) -> AirflowException:
    """The task's error: the one its job has logged, if it has. After wrong input there is no further try."""
    return (AirflowFailException if job_log.input_was_wrong else AirflowException)(job_log.error or otherwise)


def refuse_cluster_mode(extra: dict[str, Any]) -> None:
    """In deploy mode `cluster` a job's log and pages would be on another machine.

    Raises:
        AirflowFailException: the connection has that mode.
    """
    if extra.get("deploy-mode", "client") != "client":
        raise AirflowFailException(
            f"the connection {CONNECTION} has deploy mode {extra['deploy-mode']!r}; the DAGs need client: a job's"
            " progress, errors and pages are where its driver is"
        )


@task(multiple_outputs=False)
def run_date(params: dict[str, Any], dag_run: Any) -> str:
    """The date a run is for: its parameter; else, of a scheduled or backfilled run, the day before it.

    Raises:
        AirflowFailException: the run has no parameter, and is neither scheduled nor backfilled.
    """
    if params.get("run_date"):
        return date.fromisoformat(params["run_date"]).isoformat()
    kind = getattr(dag_run.run_type, "value", dag_run.run_type)
    if kind in ("scheduled", "backfill") and dag_run.logical_date is not None:
        return (dag_run.logical_date.astimezone(UTC).date() - timedelta(days=1)).isoformat()
    raise AirflowFailException(
        f"which date is this run for? A run of type {kind!r} does not say; trigger it with"
        f' {{"run_date": "{datetime.now(UTC).date() - timedelta(days=1)}"}}'
    )
