"""The Spark session of a job."""

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.run import local_jvm
from jobs.run.spark_log import into_log
from jobs.run.spark_properties import properties, read_file
from udfs.errors import InputError


def spark_session(job: str, master: str | None = None, *, short: bool = False) -> SparkSession:
    """The session of this process: the one `spark-submit` has prepared, or a new one on this machine.

    Here the properties are those of the file that ROLLCALL_PROPERTIES names, or of `rollcall properties local`, and
    `master` is `local[*]` by default; spark-submit has its own (`--properties-file`, `--conf`).

    short: a new JVM is to start soon, rather than to compute fast for long.

    Raises:
        InputError: there is no such file, or the session cannot open Delta tables.
        RuntimeError: the packages that the properties name cannot be resolved.
    """
    # Workers run the interpreter of this process, not whatever `python3` they find first.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(f"rollcall {job}")
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        spark = _started(builder, master, short)
    elif master is None:
        spark = builder.getOrCreate()
    else:
        raise InputError("--master belongs to spark-submit: write it before the job's file")
    if "DeltaSparkSessionExtension" not in str(spark.conf.get("spark.sql.extensions", "")):
        raise InputError(
            "this Spark session cannot open Delta tables; write its properties with `rollcall properties local >"
            " spark.conf`,"
            " then `spark-submit --properties-file spark.conf ...`"
        )
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def _started(builder: SparkSession.Builder, master: str | None, short: bool) -> SparkSession:
    """A session of a JVM that this process starts, or of the one that it has started before."""
    given = os.environ.get("ROLLCALL_PROPERTIES")
    of_file = properties("local") if given is None else read_file(Path(given))
    master = master or os.environ.get("ROLLCALL_MASTER") or of_file.get("spark.master", "local[*]")
    start = local_jvm.start(of_file, master, short=short)
    for name, value in start.properties.items():
        builder = builder.config(name, value)
    with into_log(), start.environment():
        return builder.master(master).getOrCreate()
