"""`rollcall sql`: one query, the statements of a file, and a shell in a terminal."""

import io
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jobs.cli import rollcall
from jobs.run.errors import run_command
from tests.conftest import ROOT
from tests.jobs.command_line import said


@pytest.fixture
def place(in_this_session: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The option that names tables in which one image is listed."""
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "a.jpg").touch()
    tables = ["--tables", str(tmp_path / "tables")]
    run_command(rollcall, ["ingest", "--source", str(tmp_path / "lake"), *tables])
    capsys.readouterr()
    return tables


def test_sql_opens_the_tables_by_name(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run_command(rollcall, ["sql", "SELECT size, count(*) AS n FROM images GROUP BY size", "--format", "csv", *place])
    assert capsys.readouterr().out == "size,n\n0,1\n"
    code, text = said(capsys, rollcall, "sql", "SELECT * FROM nowhere", *place)
    assert code == 2
    assert "nowhere" in text
    code, text = said(capsys, rollcall, "sql", "SELECT * FROM investigations", *place)
    assert (code, "has no table 'investigations' yet; run `rollcall search` first" in text) == (2, True)
    code, text = said(capsys, rollcall, "sql", "SELEC 1", *place)
    assert (code, "Syntax error at or near 'SELEC'" in text) == (2, True)


def test_sql_shows_every_column_and_every_character(
    in_this_session: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--tables", str(tmp_path / "tables")]
    query = "SELECT 'Bob [retired]' AS `name [b]`, 1 AS n, 2 AS n, named_struct('x', array(named_struct('y', 3))) AS s"
    run_command(rollcall, ["sql", query, *place])
    table = capsys.readouterr().out
    assert "Bob [retired]" in table
    assert "name [b]" in table
    assert table.splitlines()[1].split()[-3:] == ["n", "n", "s"]
    run_command(rollcall, ["sql", query, "--format", "csv", *place])
    assert capsys.readouterr().out.splitlines()[1] == 'Bob [retired],1,2,"{""x"": [{""y"": 3}]}"'
    code, text = said(capsys, rollcall, "sql", query, "--format", "json", *place)
    assert (code, "two columns are called 'n', which JSON cannot hold; rename one with AS" in text) == (2, True)
    run_command(rollcall, ["sql", query.replace("2 AS n", "2 AS m"), "--format", "json", *place])
    assert json.loads(capsys.readouterr().out) == {
        "name [b]": "Bob [retired]",
        "n": 1,
        "m": 2,
        "s": {"x": [{"y": 3}]},
    }


def test_statements_of_a_file_until_the_first_that_fails(
    in_this_session: None, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ["--tables", str(tmp_path / "tables"), "--format", "csv"]
    file = tmp_path / "questions.sql"
    file.write_text("-- two\nSELECT ';' AS a;\nSET spark.rollcall.x=1;\n/* ; */ SELECT 2 AS b\n")
    run_command(rollcall, ["sql", "--file", str(file), *place])
    assert capsys.readouterr().out == "a\n;\nkey,value\nspark.rollcall.x,1\nb\n2\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"SELECT 1 AS a; DROP TABLE faces; SELECT 3")))
    with pytest.raises(SystemExit) as stopped:
        run_command(rollcall, ["sql", "--file", "-", *place])
    printed = capsys.readouterr()
    assert (stopped.value.code, printed.out) == (2, "a\n1\n")
    assert printed.err == (
        "rollcall: statement 2 of 3: refused, as it may change more than this session: DROP TABLE faces; to allow it,"
        " give --write\n"
    )


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["SELECT 1", "--file", "-"], 2, "give a query or --file, not both"),
        ([], 2, "the shell needs a terminal; give a query, or --file FILE (- for standard input)"),
        (["--file", "/no/file"], 2, "/no/file"),
        (["SELECT 'open"], 2, "PARSE_SYNTAX_ERROR"),
        (["DELETE FROM runs"], 2, "give --write"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    in_this_session: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    found, text = said(capsys, rollcall, "sql", *arguments, "--tables", str(tmp_path / "tables"))
    assert (found, told in text, len(text.splitlines())) == (code, True, 1)


def test_only_who_says_so_changes_tables(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, rollcall, "sql", "DELETE FROM images", *place)[0] == 2
    text = "SELECT count(*) AS n FROM images; DELETE FROM images; SELECT count(*) AS n FROM images"
    run_command(rollcall, ["sql", text, "--write", "--format", "csv", *place])
    assert capsys.readouterr().out == "n\n1\nnum_affected_rows\n1\nn\n0\n"


class Terminal:
    """A process in a terminal of its own."""

    def __init__(self, *arguments: str, state: Path) -> None:
        self._own, other = pty.openpty()
        variables = {**os.environ, "XDG_STATE_HOME": str(state), "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        command = [sys.executable, "-m", "jobs.sql", *arguments]
        # A session of its own, whose terminal it is: Ctrl-C is then an interrupt.
        setsid = [sys.executable, "-c", _IN_TERMINAL, *command]
        self.process = subprocess.Popen(setsid, stdin=other, stdout=other, stderr=other, env=variables, cwd=ROOT)
        os.close(other)
        self._shown = ""

    def type(self, keys: str) -> None:
        os.write(self._own, keys.encode())

    def shows(self, pattern: str, seconds: float = 120) -> None:
        """Wait until it shows something new that a pattern finds."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self._shown)):
            assert time.monotonic() < deadline, self._shown
            if select.select([self._own], [], [], 1)[0]:
                self._shown += os.read(self._own, 4096).decode(errors="replace")
        self._shown = self._shown[found.end() :]


_IN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.slow
def test_the_shell_in_a_terminal(tmp_path: Path) -> None:
    """Ctrl-C, again and again, while a query runs and its progress is shown; and the end by Ctrl-D."""
    terminal = Terminal("--tables", str(tmp_path / "tables"), state=tmp_path / "state")
    try:
        terminal.shows("rollcall>")
        terminal.type(
            "SELECT sum(sqrt(a.id * b.id)) FROM range(100000000) a JOIN range(100000000) b ON a.id != b.id;\r"
        )
        terminal.shows(r"0 of \d+ tasks")
        for _ in range(20):  # an impatient person: some of them come while the query is being stopped, or just has been
            terminal.type("\x03")
            time.sleep(0.02)
        terminal.shows("stopped")
        terminal.shows("rollcall>")
        terminal.type("SELECT 6 * 7 AS answer;\r")
        terminal.shows(r"answer[\s\S]*42")
        terminal.shows("rollcall>")
        terminal.type("\x04")
        assert terminal.process.wait(60) == 0
    finally:
        terminal.process.kill()
