"""Spark's own log of this process: a file, so that a person sees the job's own words."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_logs: list[Path] = []
"""The one log of this process, once there is one."""


@contextmanager
def into_log() -> Iterator[None]:
    """Let what is started inside write what it says to the log.

    A JVM inherits standard output and error when it is started and keeps them: for its log, and for what Delta prints
    of a vacuum. `spark-submit` shows everything.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {stream: os.dup(stream) for stream in (1, 2)}
    if not _logs:
        handle, name = tempfile.mkstemp(prefix="rollcall-spark-", suffix=".log")
        os.close(handle)
        _logs.append(Path(name))
    with _logs[0].open("ab") as log:
        for stream in kept:
            os.dup2(log.fileno(), stream)
    try:
        yield
    finally:
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)


def log_file() -> Path | None:
    """Where Spark's own log of this process is; None where it goes to standard error."""
    return _logs[0] if _logs else None


def discard_log() -> None:
    """Remove the log of a process that ended well."""
    for path in _logs:
        path.unlink(missing_ok=True)
