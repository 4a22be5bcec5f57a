"""The edge of the program: errors in one line, and exit codes."""

import logging
import sys

import click

from jobs.run import log, stopping
from jobs.run.temporary import advice
from udfs.errors import InputError

DONE, FAILED, WRONG_INPUT = 0, 1, 2
"""Exit codes. Another try may help a job that failed; one that was given something wrong will fail again."""


def run_command(command: click.Command, arguments: list[str] | None = None) -> None:
    """Run a command line and exit: 0 done, 1 failed, 2 something given to it is wrong, 130 a person has stopped it."""
    with stopping.stoppable():
        # One line for the reader; the stack trace of a failed query is in Spark's own log.
        logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
        logging.getLogger("DataFrameQueryContextLogger").setLevel(logging.CRITICAL)
        _run(command, arguments)


def _run(command: click.Command, arguments: list[str] | None) -> None:
    try:
        log.configure()
        command.main(args=arguments, prog_name=None, standalone_mode=False)
    except (stopping.StoppedError, click.Abort):
        _stop_as_asked()
    except InputError as error:
        _stop(f"rollcall: {error}", WRONG_INPUT)
    except click.ClickException as error:
        _stop(f"rollcall: {error.format_message()}", WRONG_INPUT)
    except Exception as error:  # noqa: BLE001 - the edge of the program: said in one line, and the exit code
        if stopping.settle():  # what was cancelled has failed
            _stop_as_asked()
        wrong_input = _said_by_worker(error, "InputError")
        if wrong_input:
            _stop(f"rollcall: {wrong_input}", WRONG_INPUT)
        _stop(_failure(error), FAILED)


def one_line(error: BaseException) -> str:
    """What went wrong, in one line: Spark's and Java's stack traces are left to the log."""
    lines = [line.strip().removeprefix(": ") for line in str(error).splitlines() if line.strip()]
    # What was called says nothing to the reader; what the JVM has answered stands in the next line.
    lines = [line for line in lines if not line.startswith("An error occurred while calling ")] or lines
    # The last Python line of a worker's traceback says more than the first line of Spark's; and of causes, the last.
    told = [line for line in lines if ": " in line and line.split(":")[0].endswith(("Error", "Rejected"))]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    best = told[-1:] or causes[-1:] or lines[:1]
    return (best[0] if best else type(error).__name__)[:500]


def _failure(error: Exception) -> str:
    from jobs.run.spark_log import log_file

    said = one_line(error)
    advised = advice(str(error))
    advised = f"; {advised}" if advised and "TMPDIR" not in said else ""
    where = f"; Spark's log: {log_file()}" if log_file() else ""
    return f"rollcall: failed: {said}{advised}{where}"


def _said_by_worker(error: Exception, kind: str) -> str | None:
    """What an executor found wrong with the input comes back inside Spark's exception."""
    for line in reversed(str(error).splitlines()):
        name, colon, message = line.strip().partition(": ")
        if colon and name.rpartition(".")[2] == kind:
            return message
    return None


def _stop_as_asked() -> None:
    from jobs.run.spark_log import discard_log

    discard_log()
    stopping.say_stopped()
    sys.exit(stopping.STOPPED)


def _stop(message: str, code: int) -> None:
    log.LOGGER.error(message, extra={"exit_code": code})
    sys.exit(code)
