"""A job's options: those that all jobs share, and how a function becomes a job."""

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Generic, TypeVar

import click

from jobs.run import under_way
from jobs.run.commands import Command
from jobs.run.context import Context, opened
from jobs.run.errors import FAILED
from jobs.run.stopping import StoppedError

Result = TypeVar("Result")
Function = TypeVar("Function", bound=Callable[..., Any])


_ATTEMPTS = 3
"""How often a job begins again since an erasure has begun meanwhile."""


class RunDate(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; write it as 2026-01-31")


RUN_DATE = RunDate()


class Number(click.FloatRange):
    """A number in a range. click would also take not-a-number and infinity, which no option here can use."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


_SHARED: list[click.Parameter] = [
    click.Option(
        ["--tables"], metavar="URI", help="Where the tables are: a folder or a URI such as s3a://lake/rollcall."
    ),
    click.Option(
        ["--database"],
        metavar="NAME",
        help="The catalog schema the tables are in, instead of --tables or beside it.",
    ),
    click.Option(["--config"], metavar="FILE", help="Settings, instead of the packaged conf/rollcall.toml."),
    click.Option(
        ["--set", "changes"],
        metavar="NAME=VALUE",
        multiple=True,
        help="Change one setting, e.g. vision.minimum_face=60. May be repeated.",
    ),
    click.Option(["--master"], metavar="URL", help="Spark master, without spark-submit.  [default: local[*]]"),
]


page_output = click.option(
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page, self-contained HTML.",
)
"""Of jobs that write a page."""


def about_investigation(function: Function) -> Function:
    """The options by which whoever asks names an investigation, and says who they are and what for."""
    for option in reversed(_OF_INVESTIGATION):
        function = option(function)
    return function


_OF_INVESTIGATION = (
    click.option("--investigation", metavar="NAME", help="Keep question and answer apart, under this name."),
    click.option("--purpose", metavar="TEXT", help="What this is for; noted with the investigation."),
    click.option("--by", "asked_by", metavar="NAME", help="Who asks.  [default: the user of this machine]"),
    click.option("--for-case", metavar="ID", help="The case that this is asked for; noted with the investigation."),
)


class Job(Generic[Result]):
    """A job, as a command line (`command`) and as a function of a context.

    Its options are the one statement of its arguments: their names, defaults and bounds. Called as a function it takes
    those that differ from the defaults; either way the ledger notes them.
    """

    def __init__(
        self, name: str, function: Callable[..., Result], fails: Callable[[Result], bool] | None, short: bool
    ) -> None:
        self.name = name
        self._short = short
        self._function = function
        own = list(reversed(getattr(function, "__click_params__", [])))
        self.command = Command(
            name,
            params=[*own, *_SHARED],
            callback=self._run,
            help=function.__doc__,
            context_settings={"max_content_width": 120},
        )
        self.defaults = _defaults(self.command, own)
        self._fails = fails

    def __call__(self, context: Context, **given: Any) -> Result:
        """Run the job; returns what it has counted or found."""
        arguments = {**self.defaults, **given}
        context = replace(context, job=self.name, arguments=arguments)
        for _ in range(_ATTEMPTS):
            # What it reads before its run is noted may be what an erasure takes away meanwhile: it reads that again.
            seen = under_way.erasures_seen(context.tables)
            try:
                return self._function(replace(context, erasures_seen=seen), **arguments)
            except under_way.ErasureError:
                under_way.wait_for_erasures(context)
        return self._function(replace(context, erasures_seen=None), **arguments)

    def _run(self, **options: Any) -> None:
        shared = {str(option.name): options.pop(str(option.name)) for option in _SHARED}
        try:
            with opened(self.name, **shared, short=self._short) as context:
                result = self(context, **options)
        except KeyboardInterrupt as interrupt:  # of a query that was stopped
            raise StoppedError from interrupt
        if self._fails is not None and self._fails(result):
            raise SystemExit(FAILED)


def job(
    name: str, *, fails: Callable[[Any], bool] | None = None, short: bool = False
) -> Callable[[Callable[..., Result]], Job[Result]]:
    """Make a function `f(context, argument, ...)`, whose arguments are stated by `click.option`, a job.

    fails: of what it returns, whether the command exits with 1, though nothing went wrong.
    short: whether most of its time goes into starting; see conf/short.conf.
    """
    return lambda function: Job(name, function, fails, short)


def _defaults(command: click.Command, own: list[click.Parameter]) -> dict[str, Any]:
    """What each parameter is when it is left out; required ones have no default."""
    left_out = command.make_context(command.name, [], resilient_parsing=True).params
    return {str(option.name): left_out[str(option.name)] for option in own if not option.required}
