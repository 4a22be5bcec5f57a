"""Progress by `logging`: as text for a person, or as JSON lines for what collects logs.

Messages hold counts, ids and URIs; never an embedding, nor a person's name, except where a URI contains it; nor a
password, key or signature. What a machine is to read stands in fields (`extra`), not in the text.
"""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

from udfs.errors import InputError
from udfs.redaction import redacted
from udfs.visible import visible

FORMAT = "ROLLCALL_LOG"
"""The environment variable: `text` or `json`."""
FIELDS = ("event", "counts", "page", "exit_code")
"""What a message may carry for machines: what happened, a run's counts, a page that was written, how the job ended."""

LOGGER = logging.getLogger("rollcall")

_run: ContextVar[tuple[str, str] | None] = ContextVar("run", default=None)


class TextFormatter(logging.Formatter):
    """The message in one line; warnings are marked."""

    def format(self, record: logging.LogRecord) -> str:
        mark = "warning: " if record.levelno == logging.WARNING else ""
        return f"{mark}{visible(redacted(record.getMessage()))}"


class JsonFormatter(logging.Formatter):
    """One object a line: at, level, message, the run and its job where there is one, and the fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {"at": at, "level": record.levelname, "message": redacted(record.getMessage())}
        if (run := _run.get()) is not None:
            line |= {"run_id": run[0], "job": run[1]}
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        return json.dumps(line, default=str)


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the time."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def configure() -> None:
    """Let this process say its progress on standard error, in the format that ROLLCALL_LOG names; results go to
    standard output.

    Raises:
        InputError: the variable names another format.
    """
    form = os.environ.get(FORMAT, "text")
    as_json = form == "json"
    handler = _StandardError()
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    # Beginnings and ends of runs are for machines: in text a job itself says what it did.
    handler.addFilter(lambda record: as_json or not hasattr(record, "event"))
    LOGGER.handlers = [handler]
    LOGGER.setLevel(logging.INFO)
    LOGGER.propagate = False
    if form not in ("text", "json"):
        raise InputError(f"{FORMAT} is {form!r}; set it to text or json")


@contextmanager
def of_run(run_id: str, job: str) -> Iterator[None]:
    """Messages inside carry the run."""
    token = _run.set((run_id, job))
    try:
        yield
    finally:
        _run.reset(token)
