"""A job's options are the one statement of its arguments."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from typing import Any

import click
import pytest

from jobs import train
from jobs.cli import COMMANDS
from jobs.run import ledger, options
from jobs.run.context import Context
from jobs.run.options import RUN_DATE, Job, Number, job


class NoTables:
    """Where nothing was erased either."""

    def exists(self, name: str) -> bool:
        return False


NOWHERE = Context(None, NoTables(), None)  # type: ignore[arg-type]  # a job that asks for neither Spark nor tables


@job("count", fails=bool)
@click.argument("names", nargs=-1)
@click.option("--run-date", type=RUN_DATE)
@click.option("--label", "labels", multiple=True)
@click.option("--share", type=Number(0, 1), default=0.5)
@click.option("--all", "everything", is_flag=True)
@click.option("--gallery", required=True)
def count(context: Context, **arguments: Any) -> list[tuple[str, dict[str, Any]]]:
    """Count."""
    assert context.arguments == arguments
    return [(context.job, arguments)] if arguments["names"] else []


def test_what_is_left_out_has_the_default_of_its_option() -> None:
    ((name, arguments),) = count(NOWHERE, gallery="g", names=("a",))
    assert name == "count"
    assert arguments == {
        "names": ("a",),
        "run_date": None,
        "labels": (),
        "share": 0.5,
        "everything": False,
        "gallery": "g",
    }


def test_the_command_line_gives_the_same_arguments_and_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    @contextmanager
    def opened(job: str, **shared: Any) -> Iterator[Context]:
        asked.append(shared)
        yield NOWHERE

    monkeypatch.setattr(options, "opened", opened)
    line = ["--gallery", "g", "--run-date", "2026-01-31", "--label", "x", "--tables", "t"]
    count.command.main([*line], standalone_mode=False)  # finds nothing: ends well
    with pytest.raises(SystemExit) as stopped:
        count.command.main(["a", *line], standalone_mode=False)
    assert stopped.value.code == 1
    assert asked[0] == {"tables": "t", "database": None, "config": None, "changes": (), "master": None, "short": False}


def test_the_ledger_keeps_what_says_something() -> None:
    given = {"a": None, "b": False, "c": (), "d": 0, "e": ("x", "y"), "f": date(2026, 1, 31), "g": True}
    assert ledger._as_text(given) == {"d": "0", "e": "x, y", "f": "2026-01-31", "g": "True"}


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if name not in ("properties", "doctor", "models", "weights", "train")]
)
def test_every_job_takes_the_options_that_all_share(name: str) -> None:
    module = import_module(f"jobs.{name}")
    made = getattr(module, name)
    assert isinstance(made, Job)
    assert made.command is module.command
    assert made.name == name
    assert {"tables", "database", "config", "changes", "master"} <= {option.name for option in made.command.params}


@pytest.mark.parametrize("name", train.command.commands)
def test_every_training_is_a_job(name: str) -> None:
    made = getattr(train, name)
    assert isinstance(made, Job)
    assert made.command is train.command.commands[name]
    assert made.name == f"train {name}"
    assert {"tables", "database", "config", "changes", "master"} <= {option.name for option in made.command.params}
