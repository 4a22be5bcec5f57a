"""Progress as it is said: for a person, or as JSON lines for what collects logs.

Lines hold counts, ids and URIs; never an embedding, nor a person's name.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

import click

FORMAT = "ROLLCALL_LOG"
"""The environment variable: `text` or `json`."""

_run: ContextVar[tuple[str, str] | None] = ContextVar("run", default=None)


def say(text: str, **more: object) -> None:
    """Progress, on standard error; results go to standard output. more: fields that JSON has and text has not."""
    if os.environ.get(FORMAT, "text") != "json":
        click.echo(text, err=True)
        return
    run = _run.get()
    line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": "INFO", "message": text}
    if run is not None:
        line |= {"run_id": run[0], "job": run[1]}
    click.echo(json.dumps(line | more, default=str), err=True)


def event(name: str, counts: Mapping[str, int]) -> None:
    """An event of the ledger: a JSON line; in text the job itself says what it did."""
    if os.environ.get(FORMAT, "text") == "json":
        say(name, event=name, counts=dict(counts))


@contextmanager
def of_run(run_id: str, job: str) -> Iterator[None]:
    """Lines that are said inside carry the run."""
    token = _run.set((run_id, job))
    try:
        yield
    finally:
        _run.reset(token)
