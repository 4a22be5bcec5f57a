"""An option that is said twice is refused, in every command."""

from collections.abc import Iterator
from importlib import import_module

import click
import pytest

from jobs.cli import COMMANDS, rollcall
from tests.jobs.command_line import said


def commands() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        found = import_module(f"jobs.{name}").command
        yield (name,)
        if isinstance(found, click.Group):
            yield from ((name, sub) for sub in found.commands)


def options_of(names: tuple[str, ...]) -> list[click.Option]:
    found = import_module(f"jobs.{names[0]}").command
    for sub in names[1:]:
        found = found.commands[sub]
    return [option for option in found.params if isinstance(option, click.Option)]


def values_of(option: click.Option) -> list[str]:
    """The option with a value, as it is typed."""
    if option.is_flag:
        return [option.opts[-1]]
    choices = option.type.choices if isinstance(option.type, click.Choice) else ["2026-01-31"]
    return [option.opts[-1], str(choices[0])]


@pytest.mark.parametrize("names", list(commands()), ids=" ".join)
def test_every_option_that_has_one_value_is_said_once(
    names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    for option in options_of(names):
        if option.multiple:
            continue
        code, text = said(capsys, rollcall, *names, *2 * values_of(option))
        assert (code, text) == (2, f"rollcall: {max(option.opts, key=len)} is given 2 times; give it once\n")


def test_however_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, rollcall, "identify", "-k", "1", "--tables=a", "-k5", "--tables", "b")
    assert (code, text) == (2, "rollcall: -k is given 2 times; give it once\n")


def test_a_setting_is_changed_once(capsys: pytest.CaptureFixture[str]) -> None:
    changes = ("--set", "vision.flip=true", "--set", "vision.threads=2", "--set", "vision.flip=false")
    for command in ("doctor", "embed"):
        code, text = said(capsys, rollcall, command, *changes)
        assert (code, text) == (2, "rollcall: --set vision.flip is given 2 times; give it once\n")


def test_what_may_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    _, text = said(capsys, rollcall, "identify", "--label", "a", "--label", "a", "--set", "vision.flip=true")
    assert "--tables URI or --database NAME" in text
    rollcall.main(["identify", "--help", "--help"], prog_name="rollcall", standalone_mode=False)
    assert capsys.readouterr().out.startswith("Usage: rollcall identify")
