"""Answers of queries, in each form: what is hostile comes out as text, and programs read what there is."""

import csv
import io
import json
import sys

import pytest

from pages import answers

NAMES = ["person", "note", "similarity", "parts"]
ROW = ("=cmd|' /C calc'!A0", "\x1b[31mred\x9b0m\u202e\ntwo", -0.0365, ["=1", "\x1b"])


def printed(capsys: pytest.CaptureFixture[str], form: str) -> str:
    answers.write(form, NAMES, [ROW])
    return capsys.readouterr().out


@pytest.mark.parametrize("form", ["table", "lines"])
def test_a_person_sees_text(capsys: pytest.CaptureFixture[str], form: str) -> None:
    shown = printed(capsys, form)
    assert r"\x1b[31mred\x9b0m\u202e" in shown
    assert "=cmd|' /C calc'!A0" in shown
    assert "-0.0365" in shown
    assert all(character.isprintable() for character in shown if character != "\n")


def test_a_program_reads_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "json")
    assert json.loads(shown) == dict(zip(NAMES, [*ROW[:3], list(ROW[3])], strict=True))
    assert shown.strip().isprintable()


def test_a_spreadsheet_computes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    names, row = csv.reader(io.StringIO(printed(capsys, "csv"), newline=""))
    assert names == NAMES
    assert row == ["'=cmd|' /C calc'!A0", "\x1b[31mred\x9b0m\u202e\ntwo", "-0.0365", '["=1", "\\u001b"]']


def test_a_csv_on_a_terminal_steers_it_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert r"\x1b[31mred\x9b0m\u202e" in printed(capsys, "csv")
