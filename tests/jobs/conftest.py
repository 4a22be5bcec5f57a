"""What tests of commands share."""

import pytest
from pyspark.sql import SparkSession


@pytest.fixture
def in_this_session(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs use the tests' session, and leave it running."""
    from jobs.run import session

    monkeypatch.setattr(session, "spark_session", lambda job, master, short: spark)
    monkeypatch.setattr(SparkSession, "stop", lambda self: None)
