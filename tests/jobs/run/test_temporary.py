"""Where temporary files go, and what is said where there is no room."""

import pytest

from jobs.run import session, temporary
from jobs.run.errors import _failure


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMPDIR", "JDK_JAVA_OPTIONS", "SPARK_LOCAL_DIRS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("jobs.run.spark_log._logs", [])


def test_java_and_spark_follow_tmpdir(monkeypatch: pytest.MonkeyPatch) -> None:
    assert temporary.variables() == {}
    monkeypatch.setenv("TMPDIR", "/large disk")
    java = '"-Djava.io.tmpdir=/large disk"'
    assert temporary.variables() == {"JDK_JAVA_OPTIONS": java, "SPARK_LOCAL_DIRS": "/large disk"}
    monkeypatch.setenv("JDK_JAVA_OPTIONS", "-Xint")
    monkeypatch.setenv("SPARK_LOCAL_DIRS", "/scratch")
    assert temporary.variables() == {"JDK_JAVA_OPTIONS": f"-Xint {java}", "SPARK_LOCAL_DIRS": "/scratch"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "; a disk is full: make room on that of the tables, or of /tmp,"),
        (
            RuntimeError("An error occurred while calling o1.x.\n: java.io.IOException: No space left on device"),
            "rollcall: failed: java.io.IOException: No space left on device; a disk is full",
        ),
        (
            RuntimeError("Failed to create a temp directory (under /tmp) after 10 attempts!"),
            "; temporary files cannot be written to /tmp: name another folder with TMPDIR=FOLDER",
        ),
    ],
)
def test_a_full_disk_is_told_with_what_to_do(error: Exception, said: str) -> None:
    told = _failure(error)
    assert said in told
    assert told.count("TMPDIR") == 1
    assert (
        _failure(RuntimeError(f"Spark did not start: {session.why_not_started(error, 'local')}")).count("TMPDIR") == 1
    )


def test_other_failures_get_no_such_advice() -> None:
    assert _failure(RuntimeError("a mistake")) == "rollcall: failed: a mistake"
