"""The Spark session of a job."""

import os
import sys
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from jobs.run import local_jvm, warehouse
from jobs.run.errors import one_line
from jobs.run.masters import chosen_master
from jobs.run.spark_log import into_log, log_file
from jobs.run.spark_properties import properties, read_file
from jobs.run.stopping import take_over
from jobs.run.temporary import advice
from udfs.errors import InputError
from udfs.redaction import is_secret

_ENDED = 'Exception in thread "main" '
_NO_ANSWER = "All masters are unresponsive"


def spark_session(job: str, master: str | None = None, *, short: bool = False) -> SparkSession:
    """The session of this process: the one `spark-submit` has prepared, or a new one on this machine.

    Here the properties are those of the file that ROLLCALL_PROPERTIES names, or of `rollcall properties local`, and
    `master` is `local[*]` by default; spark-submit has its own (`--properties-file`, `--conf`).

    short: a new JVM is to start soon, rather than to compute fast for long.

    Raises:
        InputError: there is no such file, or the session cannot open Delta tables.
        RuntimeError: the packages that the properties name cannot be resolved, or the JVM or Spark does not start.
    """
    # Workers run the interpreter of this process, not whatever `python3` they find first.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    name = f"rollcall {job}"
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        spark = _started(name, master, short)
    elif master is None:
        spark = _submitted(name)
    else:
        raise InputError("--master belongs to spark-submit: write it before the job's file")
    take_over(spark.sparkContext)
    if "DeltaSparkSessionExtension" not in str(spark.conf.get("spark.sql.extensions", "")):
        raise InputError(
            "this Spark session cannot open Delta tables; write its properties with `rollcall properties local >"
            " spark.conf`,"
            " then `spark-submit --properties-file spark.conf ...`"
        )
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def why_not_started(error: Exception, master: str) -> str:
    """In one line: what Spark's log says of a JVM that has ended, else what the JVM has answered; and what to do."""
    log = log_file()
    said = log.read_text("utf-8", "replace") if log is not None else ""
    if _NO_ANSWER in said:
        return f"no Spark master answers at {master}; look whether it is running, and whether the address is right"
    ended = [line.removeprefix(_ENDED).strip() for line in said.splitlines() if line.startswith(_ENDED)]
    reason = ended[-1] if "JAVA_GATEWAY_EXITED" in str(error) and ended else one_line(error)
    advised = advice(f"{error}\n{said}")
    return f"{reason}; {advised}" if advised else reason


def _submitted(name: str) -> SparkSession:
    """A session of the JVM that `spark-submit` has started, which knows the properties that were given."""
    SparkContext._ensure_initialized()
    conf = SparkConf().setAppName(name)
    conf.setAll(list(warehouse.properties(dict(conf.getAll())).items()))
    return SparkSession.builder.config(conf=conf).getOrCreate()


def _started(name: str, master: str | None, short: bool) -> SparkSession:
    """A session of a JVM that this process starts, or of the one that it has started before."""
    given = os.environ.get("ROLLCALL_PROPERTIES")
    of_file = properties("local") if given is None else read_file(Path(given))
    master = chosen_master(master, of_file)
    start = local_jvm.start(of_file | warehouse.properties(of_file), master, short=short)
    conf = SparkConf().setAll(list(start.properties.items())).setMaster(master).setAppName(name)
    # What starts the JVM is on its command line, which everybody on this machine can read; the rest it is told later.
    public = SparkConf().setAll([(key, value) for key, value in conf.getAll() if not is_secret(key)])
    try:
        with into_log(), start.environment():
            SparkContext._ensure_initialized(conf=public)
            take_over(SparkContext.getOrCreate(conf))  # before the session is made, which takes longer
            return SparkSession.builder.config(conf=conf).getOrCreate()
    except Exception as error:
        raise RuntimeError(f"Spark did not start: {why_not_started(error, master)}") from error
