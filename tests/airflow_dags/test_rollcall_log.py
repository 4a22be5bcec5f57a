"""What a task takes from the log of its job. The lines are those that jobs write."""

import json
from collections.abc import Iterator

import click
import pytest

from airflow_dags.rollcall_log import JobLog
from jobs.run import log
from jobs.run.errors import run_command
from udfs.errors import InputError


@pytest.fixture(autouse=True)
def json_lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(log.FORMAT, "json")
    handlers, level, propagate = log.LOGGER.handlers, log.LOGGER.level, log.LOGGER.propagate
    log.configure()
    yield
    log.LOGGER.handlers, log.LOGGER.level, log.LOGGER.propagate = handlers, level, propagate


def read(lines: list[str]) -> JobLog:
    job_log = JobLog()
    assert list(job_log.reading(lines)) == lines
    return job_log


def ended_with(error: Exception, capsys: pytest.CaptureFixture[str]) -> JobLog:
    """What is read of a command that raises an error."""

    @click.command
    def command() -> None:
        raise error

    with pytest.raises(SystemExit):
        run_command(command, [])
    return read(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("error", "message", "input_was_wrong"),
    [
        (InputError("there is no gallery 'x'"), "rollcall: there is no gallery 'x'", True),
        (click.UsageError("no such option"), "rollcall: no such option", True),
        (InputError("failed: a name that says so"), "rollcall: failed: a name that says so", True),
        (OSError("no space left on device"), "rollcall: failed: no space left on device", False),
        (click.Abort(), "rollcall: stopped", False),
    ],
)
def test_why_a_job_failed(
    error: Exception, message: str, input_was_wrong: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    job_log = ended_with(error, capsys)
    assert job_log.error is not None
    assert job_log.error.startswith(message)
    assert job_log.input_was_wrong is input_was_wrong


def test_runs_and_pages_are_fields(capsys: pytest.CaptureFixture[str]) -> None:
    log.LOGGER.info("summary: /not/said/in/a/field.html")
    with log.of_run("run-1", "summary"):
        log.LOGGER.info("in any words", extra={"page": "file:///pages/day.html"})
        log.LOGGER.info("in any words", extra={"page": "file:///pages/day.html"})
        log.LOGGER.warning("something to look at")
    job_log = read(capsys.readouterr().err.splitlines())
    assert (job_log.run_ids, job_log.pages) == (["run-1"], ["file:///pages/day.html"])
    assert (job_log.error, job_log.input_was_wrong) == (None, False)


def test_lines_of_spark_lie_around_it() -> None:
    line = json.dumps({"at": "t", "level": "ERROR", "message": "rollcall: no gallery", "exit_code": 2})
    job_log = read(["a line", f"26/01/31 INFO SparkSubmit: {line}\n", '{"at": no json', '{"level": "ERROR"}'])
    assert (job_log.error, job_log.input_was_wrong) == ("rollcall: no gallery", True)


def test_a_job_that_was_killed_says_nothing() -> None:
    job_log = read(["a line"])
    assert (job_log.error, job_log.input_was_wrong) == (None, False)
