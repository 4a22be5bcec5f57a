"""What all jobs share on the command line."""

import functools
import logging
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import click
from pyspark.sql import SparkSession

from jobs import settings as settings_module
from jobs.ledger import one_line
from jobs.log import say
from jobs.settings import Settings
from schemas.store import Tables
from udfs.errors import InputError


@dataclass(frozen=True)
class Context:
    """What a job works with: Spark, the tables, the settings, and where it says how far it is."""

    spark: SparkSession
    tables: Tables
    settings: Settings
    say: Callable[[str], None]


class RunDate(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no date; write it as 2026-01-31")


RUN_DATE = RunDate()


class Number(click.FloatRange):
    """A number in a range; not-a-number and infinity, which click lets pass, are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


_COMMON = [
    click.option(
        "--tables", metavar="URI", help="Where the tables are: a folder or a URI such as s3a://lake/rollcall."
    ),
    click.option(
        "--database",
        metavar="NAME",
        help="The catalog schema the tables are in, instead of --tables or beside it.",
    ),
    click.option("--config", metavar="FILE", help="Settings, instead of the packaged conf/rollcall.toml."),
    click.option(
        "--set",
        "changes",
        metavar="NAME=VALUE",
        multiple=True,
        help="Change one setting, e.g. vision.minimum_face=60. May be repeated.",
    ),
    click.option("--master", metavar="URL", help="Spark master, without spark-submit.  [default: local[*]]"),
]


def job_command(name: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function `f(context, **arguments)` a command with the options that all jobs share."""

    def decorate(function: Callable[..., None]) -> click.Command:
        @functools.wraps(function)
        def command(
            tables: str | None,
            database: str | None,
            config: str | None,
            changes: tuple[str, ...],
            master: str | None,
            **arguments: Any,
        ) -> None:
            with opened(
                name, tables=tables, database=database, config=config, changes=changes, master=master
            ) as context:
                function(context, **arguments)

        wrapped: Callable[..., None] = command
        for option in reversed(_COMMON):
            wrapped = option(wrapped)
        made = click.command(name=name, context_settings={"max_content_width": 120})(wrapped)
        made.params = made.params[len(_COMMON) :] + made.params[: len(_COMMON)]  # the job's own options first
        return made

    return decorate


@contextmanager
def opened(
    job: str,
    *,
    tables: str | None,
    database: str | None = None,
    config: str | None = None,
    changes: tuple[str, ...] = (),
    master: str | None = None,
) -> Iterator[Context]:
    """Open what a job works with, and stop Spark in the end.

    Raises:
        InputError: wrong settings, or no tables named.
    """
    from jobs.session import discard_log, spark_session

    settings = settings_module.load(config, changes)
    if tables is None and database is None:
        raise InputError("say where the tables are: --tables URI or --database NAME")
    spark = spark_session(job, master)
    try:
        yield Context(spark, Tables(spark, tables, database), settings, say)
        discard_log()
    except SystemExit:  # a job that ended well, and has an exit code to give
        discard_log()
        raise
    finally:
        spark.stop()


def run_command(command: click.Command, arguments: list[str] | None = None) -> None:
    """Run a command line and exit: 0 done, 1 failed, 2 something given to it is wrong."""
    # One line for the reader; the stack trace of a failed query is in Spark's own log.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
    logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
    try:
        command.main(args=arguments, prog_name=None, standalone_mode=False)
    except InputError as error:
        _stop(f"rollcall: {error}", 2)
    except click.ClickException as error:
        _stop(f"rollcall: {error.format_message()}", 2)
    except click.Abort:
        _stop("rollcall: stopped", 1)
    except Exception as error:  # noqa: BLE001 - the edge of the program: said in one line, and the exit code
        bad_input = _worker_said(error, "InputError")
        _stop(f"rollcall: {bad_input}" if bad_input else _failure(error), 2 if bad_input else 1)


def _failure(error: Exception) -> str:
    from jobs.session import log_file

    log = f"; Spark's log: {log_file()}" if log_file() else ""
    return f"rollcall: failed: {one_line(error)}{log}"


def _worker_said(error: Exception, kind: str) -> str | None:
    """What an executor found wrong with the input comes back inside Spark's exception."""
    for line in reversed(str(error).splitlines()):
        name, colon, message = line.strip().partition(": ")
        if colon and name.rpartition(".")[2] == kind:
            return message
    return None


def _stop(message: str, code: int) -> None:
    say(message, level="ERROR")
    sys.exit(code)
