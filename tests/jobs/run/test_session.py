"""Why Spark does not start, as its log tells."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.run import session
from jobs.run.spark_properties import text
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("error", "log", "said"),
    [
        (
            "Cannot call methods on a stopped SparkContext.",
            "ERROR StandaloneSchedulerBackend: Application has been killed. Reason: All masters are unresponsive!",
            "no Spark master answers at spark://host:7077; look whether it is running, and whether the address is"
            " right",
        ),
        (
            "[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number.",
            'WARN\nException in thread "main" org.apache.spark.SparkException: no HADOOP_CONF_DIR\n\tat x',
            "org.apache.spark.SparkException: no HADOOP_CONF_DIR",
        ),
        (
            "[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number.",
            "java.nio.file.FileSystemException: /tmp/spark-1: Read-only file system",
            "[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number.; temporary files cannot"
            " be written to /tmp: name another folder with TMPDIR=FOLDER",
        ),
    ],
)
def test_the_reason_is_said(error: str, log: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    (tmp_path / "spark.log").write_text(log)
    monkeypatch.setattr("jobs.run.spark_log._logs", [tmp_path / "spark.log"])
    assert session.why_not_started(RuntimeError(error), "spark://host:7077") == said


def test_no_secret_is_on_the_command_line_of_the_jvm(tmp_path: Path) -> None:
    """Everybody on a machine can read the command lines of all processes."""
    secret = "spark.hadoop.fs.s3a.secret.key"
    given = f"{text('local')}\n{secret} wJalr\nspark.hadoop.fs.s3a.endpoint example:9000\n"
    (tmp_path / "spark.conf").write_text(given)
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "ROLLCALL_PROPERTIES": str(tmp_path / "spark.conf")}
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND_LINES, secret], env=variables, capture_output=True, text=True, check=True
    )
    value, *lines = done.stdout.splitlines()
    assert value == "wJalr"
    assert any("fs.s3a.endpoint=example:9000" in line for line in lines)
    assert not any("wJalr" in line for line in lines)


_COMMAND_LINES = """
import pathlib, sys
from jobs.run.session import spark_session
spark = spark_session("tests", "local[1]", short=True)
print(spark.sparkContext._jsc.hadoopConfiguration().get(sys.argv.pop().removeprefix("spark.hadoop.")))
for process in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
    try:
        print(process.read_bytes().replace(bytes(1), b" ").decode("utf-8", "replace").replace("\\n", " "))
    except OSError:  # it has ended
        pass
spark.stop()
"""
