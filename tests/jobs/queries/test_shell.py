"""The shell, driven by what a person types."""

import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from pyspark.sql import SparkSession

from jobs.queries import interrupts, shell
from jobs.queries.questions import Questions
from tests.support import MakeContext


@pytest.fixture
def typing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PipeInput]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        yield keys


@pytest.fixture
def contexts(spark: SparkSession, tmp_path: Path) -> MakeContext:
    return MakeContext(spark, tmp_path)


def test_a_session(
    typing: PipeInput, contexts: MakeContext, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typing.send_text("SELECT 1 AS one,\n'a;b' AS two;\n")  # Enter goes on until the semicolon
    typing.send_text("SELECT nothing; SELECT 3 AS three;\n")  # what fails ends its line
    typing.send_text("DROP TABLE faces;\n\n")
    typing.send_text("\\timing\nSELECT 4 AS four; SELECT 5 AS five;\n\\timing\n")
    typing.send_text("\\d\n\\d runs\n\\d gallery_now\n\\d nothing\n\\x\n\\?\n")
    typing.send_text("half a statement\x03")  # Ctrl-C throws away what is typed
    typing.send_text("SELECT 6 AS six;\n\x04")  # Ctrl-D ends
    context = contexts()
    shell.run(Questions(context, "csv", 10, write=False))
    printed = capsys.readouterr().out
    assert printed.startswith("one,two\n1,a;b\nfour\n4\nfive\n5\n")
    assert "\\timing" in printed
    assert "why it failed, in one line" in printed
    assert "two persons who were seen in the same image" in printed
    assert "face_similarity(one ARRAY<FLOAT>, other ARRAY<FLOAT>) -> DOUBLE" in printed
    assert "number of samples in force" in printed
    assert printed.endswith("six\n6\n")
    assert "three" not in printed
    said = contexts.said
    assert said[0] == f"{tmp_path}/tables: end a statement with ;  \\? for help  \\q to end"
    assert said[1].startswith("[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] A column")
    assert said[2] == "refused, as it may change more than this session: DROP TABLE faces; to allow it, give --write"
    assert said[3] == "timing is on"
    assert [line.endswith(" s") for line in said[4:6]] == [True, True]
    assert said[6:] == [
        "timing is off",
        "there is no table or view nothing; \\d lists them",
        "there is no command \\x; \\? lists them",
        "stopped",
    ]
    history = shell.history_file()
    assert "+SELECT 6 AS six;" in history.read_text()
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_what_was_typed_is_kept_for_the_next_session(
    typing: PipeInput, contexts: MakeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = Questions(contexts(), "csv", 10, write=False)
    typing.send_text("SELECT 7 AS seven;\n\\q\n")
    shell.run(questions)
    typing.send_text("\x1b[A\x1b[A\n\\q\n")  # twice up
    shell.run(questions)
    assert capsys.readouterr().out == "seven\n7\n" * 2


def test_an_interrupt_stops_the_query_and_not_the_shell(
    typing: PipeInput,
    contexts: MakeContext,
    capsys: pytest.CaptureFixture[str],
    spark: SparkSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a query that runs. A signal to this process could meet pytest elsewhere: the shell on a terminal, in a process
    of its own, gets real ones.
    """
    tracker = spark.sparkContext.statusTracker()
    notes = iter(range(3))  # the shell's own, and those of two queries

    @contextmanager
    def noted() -> Iterator[threading.Event]:
        event = threading.Event()
        if next(notes) == 1:
            threading.Thread(target=once_a_job_runs, args=(event,), daemon=True).start()
        yield event

    def once_a_job_runs(event: threading.Event) -> None:
        while not tracker.getActiveJobsIds():
            time.sleep(0.05)
        event.set()

    monkeypatch.setattr(interrupts, "noted", noted)
    typing.send_text("SELECT sum(sqrt(a.id * b.id)) FROM range(10000000) a JOIN range(10000000) b ON a.id != b.id;\n")
    typing.send_text("SELECT 8 AS eight;\n\\q\n")
    shell.run(Questions(contexts(), "csv", 10, write=False))
    assert capsys.readouterr().out == "eight\n8\n"
    assert contexts.said[1:] == ["stopped"]
    assert list(tracker.getActiveJobsIds()) == []
