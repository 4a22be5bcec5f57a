"""What the DAGs share: a job as a task, and the date a run is for.

Locations come from Airflow: the connection `rollcall_spark` says where Spark is; the variables say where the
application, the tables and the sources are.

| variable | what |
|---|---|
| rollcall_home | the folder with `jobs/` and `conf/`, on the machine that submits |
| rollcall_spark_submit | spark-submit of the environment the application is installed in |
| rollcall_tables | where the tables are, for `--tables` |
| rollcall_options | options that all jobs get, e.g. `--set vision.embedder=dlib-resnet-v1`; may be empty |
| rollcall_properties | the Spark properties file, from `rollcall properties` |
| rollcall_gpu_properties | the same for embed and enroll; rollcall_properties unless set |
| rollcall_source | what `ingest` lists, e.g. `s3://lake/cctv/{run_date}/` |
| rollcall_gallery, rollcall_gallery_name | the manifest or folder of those to register, and the gallery's name |
| rollcall_pages | the folder for pages |
| rollcall_labelled | labelled photos, for the monthly evaluation |
| rollcall_evaluate_options | its other options; `--half second` unless set, the half `calibrate` leaves |

The driver runs where the task does: the connection's deploy mode is client.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Asset, BaseHook, CronTriggerTimetable, Param, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

CONNECTION = "rollcall_spark"
POOL, GPU_POOL = "rollcall", "rollcall_gpu"
"""One slot, which all that writes shares but `embed`; and as many as embed runs may have GPUs at once."""

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
"""In arguments of jobs of a DAG with the task `run_date`."""
_HOME = "{{ var.value.rollcall_home }}"
_PROPERTIES = "{{ var.value.rollcall_properties }}"
_GPU_PROPERTIES = "{{ var.value.get('rollcall_gpu_properties', var.value.rollcall_properties) }}"


class RollcallJob(SparkSubmitOperator):
    """One job of Rollcall by spark-submit.

    A job that fails says why in one line, which is the task's error; the log says where the ledger's row is. What was
    given to it wrong (exit code 2) will be wrong the next time: it is not tried again.

    job: the name of the file below `jobs`. arguments: as on the command line, templated. options: more of them in one
    string, templated. on_gpu: with the properties and in the pool of GPU jobs. Events of its outlets carry the run
    date, if the job has one.
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
        self._said = Said()

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
            why = self._said.error or str(error)
            raise (AirflowFailException if self._said.is_of_input else AirflowException)(why) from None
        finally:
            self._tell_where()
        if "--run-date" in self.application_args:
            run_date = self.application_args[self.application_args.index("--run-date") + 1]
            for asset in self.outlets:
                context["outlet_events"][asset].extra = {"run_date": run_date}

    def _get_hook(self) -> SparkSubmitHook:
        hook = super()._get_hook()
        process = hook._process_spark_submit_log
        hook._process_spark_submit_log = lambda lines: process(self._said.heard(lines))
        return hook

    def _tell_where(self) -> None:
        for run_id in self._said.run_ids:
            query = f"SELECT * FROM runs WHERE run_id = '{run_id}'"
            self.log.info('ledger: rollcall sql --tables %s "%s"', shlex.quote(self.tables), query)
        for page in self._said.pages:
            self.log.info("page: %s", page)


def application_submit(path: str) -> Path:
    """The application's spark-submit: Airflow's own environment has another one, or none.

    Raises:
        AirflowFailException: it is not there, or not in the environment Rollcall is installed in.
    """
    binary = Path(path)
    if not binary.is_file() or not binary.with_name("rollcall").is_file():
        raise AirflowFailException(
            f"{path} is not the spark-submit of the environment Rollcall is installed in; set the variable"
            " rollcall_spark_submit to the one beside the command rollcall"
        )
    return binary


def refuse_cluster_mode(extra: dict[str, Any]) -> None:
    """What a job says, and the pages it writes, would be elsewhere.

    Raises:
        AirflowFailException: the connection says so.
    """
    if extra.get("deploy-mode", "client") != "client":
        raise AirflowFailException(
            f"the connection {CONNECTION} has deploy mode {extra['deploy-mode']!r}; the DAGs need client: a job's"
            " progress, errors and pages are where its driver is"
        )


class Said:
    """What a job has said, line by line."""

    def __init__(self) -> None:
        self.error: str | None = None
        self.run_ids: list[str] = []
        self.pages: list[str] = []

    @property
    def is_of_input(self) -> bool:
        """Whether it ended because of what it was given."""
        return self.error is not None and not self.error.startswith(("rollcall: failed", "rollcall: stopped"))

    def heard(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines, after what they say was taken in."""
        for line in lines:
            self._take(line)
            yield line

    def _take(self, line: str) -> None:
        start = line.find('{"at":')
        try:
            said = json.loads(line[start:]) if start >= 0 else {}
        except ValueError:  # a line of something else that looks alike
            return
        message = said.get("message", "")
        if said.get("level") == "ERROR":
            self.error = message
        if (run_id := said.get("run_id")) and run_id not in self.run_ids:
            self.run_ids.append(run_id)
        if message.startswith(("summary: ", "evaluate: ")) and message.endswith(".html"):
            self.pages.append(message.partition(": ")[2])


@task(multiple_outputs=False)
def run_date(params: dict[str, Any], dag_run: Any) -> str:
    """The date a run is for: its parameter, else the day before a scheduled or backfilled run.

    Raises:
        AirflowFailException: neither is there.
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
