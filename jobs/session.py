"""The Spark session of a job."""

import os
import re
import sys
from importlib.resources import files

from pyspark.sql import SparkSession

from udfs.errors import InputError


def spark_session(job: str, master: str | None = None) -> SparkSession:
    """The session of this process: the one `spark-submit` has prepared, or a new one on this machine.

    The properties are those of `conf/local.conf`; any that are set already (`--properties-file`, `--conf`)
    stand. `master` is `local[*]` by default.

    Raises:
        InputError: the session that was prepared cannot open Delta tables.
    """
    # Workers run the interpreter of this process, not whatever `python3` they find first.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    builder = SparkSession.builder.appName(f"rollcall {job}")
    if not submitted:
        for name, value in local_properties().items():
            builder = builder.config(name, value)
        builder = builder.master(master or os.environ.get("ROLLCALL_MASTER", "local[*]"))
    elif master is not None:
        raise InputError("say --master to spark-submit, before the job's file")
    spark = builder.getOrCreate()
    if "DeltaSparkSessionExtension" not in spark.conf.get("spark.sql.extensions", ""):
        raise InputError("this Spark session has no Delta; spark-submit --properties-file conf/local.conf ...")
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


def local_properties() -> dict[str, str]:
    """The properties of `conf/local.conf` by name."""
    lines = files("conf").joinpath("local.conf").read_text().splitlines()
    named = (re.split(r"\s+", line.strip(), maxsplit=1) for line in lines if line.strip() and line[0] != "#")
    return dict(named)
