"""doctor: what this machine has, and what to configure on it."""

from collections.abc import Callable
from functools import partial

import click

from jobs.reports import machine
from jobs.run import settings as settings_module
from jobs.run.commands import Command
from jobs.run.errors import run_command
from jobs.run.printed import echo
from udfs.errors import InputError


@click.command(name="doctor", cls=Command)
@click.option("--config", metavar="FILE", help="Settings, instead of the packaged conf/rollcall.toml.")
@click.option("--set", "changes", metavar="NAME=VALUE", multiple=True, help="Change one setting. May be repeated.")
def command(config: str | None, changes: tuple[str, ...]) -> None:
    """Look for what jobs need, and measure which precision to configure.

    Run it where tasks run: an executor's machine may be another kind than yours. Exit code 2 where
    something is missing.
    """
    settings = settings_module.load(config, changes)
    checks: dict[str, Callable[[], str]] = {"java": machine.java}
    for model in machine.models(settings):
        checks[model] = partial(machine.weights_of, model, settings)
    missing = []
    for name, check in checks.items():
        try:
            echo(f"{name}: {check()}")
        except InputError as error:
            echo(f"{name}: {error}")
            missing.append(name)
    echo(f"search: {machine.search_path()}")
    for line in machine.speeds(settings):
        echo(line)
    if missing:
        raise InputError(f"{', '.join(missing)} missing; the lines above say what to do")


if __name__ == "__main__":
    run_command(command)
