"""Why Spark does not start, as its log tells."""

from pathlib import Path

import pytest

from jobs.run import session


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
