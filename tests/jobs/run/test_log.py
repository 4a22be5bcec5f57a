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


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("text", r"warning: \x1b[2J s3://***@b/x?*** \nrollcall: finished \u202e"),
        ("json", "\x1b[2J s3://***@b/x?*** \nrollcall: finished \u202e"),
    ],
)
def test_a_message_steers_no_terminal_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: str, said: str
) -> None:
    monkeypatch.setenv(log.FORMAT, form)
    log.configure()
    log.LOGGER.warning("\x1b[2J s3://AKIA:wJalr@b/x?X-Amz-Signature=0f3e \nrollcall: finished \u202e")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isascii()
    assert (json.loads(line)["message"] if form == "json" else line) == said


@pytest.mark.parametrize("error", [InputError, OSError])
def test_nor_does_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: type[Exception]
) -> None:
    @click.command()
    def failing() -> None:
        raise error("\x1b]0;mine\x07 spark.hadoop.fs.s3a.secret.key=wJalr")

    monkeypatch.setenv(log.FORMAT, "text")
    with pytest.raises(SystemExit):
        run_command(failing, [])
    said = capsys.readouterr().err
    assert r"\x1b]0;mine\x07 spark.hadoop.fs.s3a.secret.key=***" in said
    assert len(said.splitlines()) == 1


def test_another_format_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(log.FORMAT, "jsn")
    with pytest.raises(SystemExit) as stopped:
        run_command(click.Command("nothing"), [])
    assert stopped.value.code == 2
    assert "ROLLCALL_LOG is 'jsn'; set it to text or json" in capsys.readouterr().err
