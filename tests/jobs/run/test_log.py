"""Progress, for a person and for machines."""

import json
from collections.abc import Iterator

import click
import pytest

from jobs.run import log
from jobs.run.errors import run_command
from udfs.errors import InputError


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    before = log.LOGGER.handlers, log.LOGGER.level, log.LOGGER.propagate
    yield
    log.LOGGER.handlers, log.LOGGER.level, log.LOGGER.propagate = before


def test_lines_of_a_run_carry_its_id(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(log.FORMAT, "json")
    log.configure()
    log.LOGGER.info("before")
    with log.of_run("r1", "embed"):
        log.LOGGER.warning("5 images")
        log.LOGGER.info("finished", extra={"event": "finished", "counts": {"images": 5}})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("run_id") for line in lines] == [None, "r1", "r1"]
    assert [line["level"] for line in lines] == ["INFO", "WARNING", "INFO"]
    assert lines[1]["message"] == "5 images"
    assert lines[2]["counts"] == {"images": 5}


def test_a_person_reads_what_the_job_says_and_no_events(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(log.FORMAT, "text")
    log.configure()
    log.LOGGER.info("plain")
    log.LOGGER.warning("odd")
    log.LOGGER.info("finished", extra={"event": "finished", "counts": {}})
    assert capsys.readouterr().err == "plain\nwarning: odd\n"


@pytest.mark.parametrize(("error", "code"), [(InputError("no such folder"), 2), (OSError("no disk"), 1)])
def test_machines_read_the_exit_code_in_a_field(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    @click.command()
    def failing() -> None:
        raise error

    monkeypatch.setenv(log.FORMAT, "json")
    with pytest.raises(SystemExit) as stopped:
        run_command(failing, [])
    line = json.loads(capsys.readouterr().err)
    assert (stopped.value.code, line["exit_code"], line["level"]) == (code, code, "ERROR")


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(log.FORMAT, "jsn")
    with pytest.raises(SystemExit) as stopped:
        run_command(click.Command("nothing"), [])
    assert stopped.value.code == 2
    assert "ROLLCALL_LOG is 'jsn'; set it to text or json" in capsys.readouterr().err
