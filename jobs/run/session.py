"""The Spark session of a job."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from pyspark.sql import SparkSession

from jobs.run.spark_properties import properties, read_file
from udfs.errors import InputError


def spark_session(job: str, master: str | None = None) -> SparkSession:
    """The session of this process: the one `spark-submit` has prepared, or a new one on this machine.

    Here the properties are those of the file that ROLLCALL_PROPERTIES names, or of `rollcall properties local`, and
    `master` is `local[*]` by default; spark-submit has its own (`--properties-file`, `--conf`).

    Raises:
        InputError: there is no such file, or the session cannot open Delta tables.
    """
    # Workers run the interpreter of this process, not whatever `python3` they find first.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    builder = SparkSession.builder.appName(f"rollcall {job}")
    if not submitted:
        given = os.environ.get("ROLLCALL_PROPERTIES")
        of_file = properties("local") if given is None else read_file(Path(given))
        for name, value in of_file.items():
            builder = builder.config(name, value)
        default = of_file.get("spark.master", "local[*]")
        builder = builder.master(master or os.environ.get("ROLLCALL_MASTER", default))
    elif master is not None:
        raise InputError("--master belongs to spark-submit: write it before the job's file")
    with _jvm_log() if not submitted else nullcontext():
        spark = builder.getOrCreate()
    if "DeltaSparkSessionExtension" not in str(spark.conf.get("spark.sql.extensions", "")):
        raise InputError(
            "this Spark session cannot open Delta tables; write its properties with `rollcall properties local >"
            " spark.conf`,"
            " then `spark-submit --properties-file spark.conf ...`"
        )
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    return spark


@contextmanager
def _jvm_log() -> Iterator[None]:
    """Let the JVM that is started inside write what it says to a file, so that a person sees the job's own words.

    The JVM inherits standard output and error when it is started and keeps them: its log, and what Delta prints of a
    vacuum. `spark-submit` shows everything.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    if not _logs:
        handle, name = tempfile.mkstemp(prefix="rollcall-spark-", suffix=".log")
        os.close(handle)
        _logs.append(Path(name))
    with _logs[0].open("ab") as log:
        for stream in kept:
            os.dup2(log.fileno(), stream)
    try:
        yield
    finally:
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)


_logs: list[Path] = []
"""The one log of this process, once there is one."""


def log_file() -> Path | None:
    """Where Spark's own log of this process is; None where it goes to standard error."""
    return _logs[0] if _logs else None


def discard_log() -> None:
    """Remove the log of a process that ended well."""
    for path in _logs:
        path.unlink(missing_ok=True)
