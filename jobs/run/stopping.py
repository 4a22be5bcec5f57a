"""What Ctrl-C does to a command: it ends with one line, `stopped`, and a run that is under way is noted as failed.

PySpark's own handler calls the JVM and then raises, from wherever the program is: in the middle of another call to the
JVM that spoils the connection, and py4j prints its stack. Here nothing is raised inside such a call, but as soon as it
has ended; and another thread cancels Spark's jobs, so that it ends. Nor while a JVM starts, which would live on without
anybody: it ends by itself once it has started, and finds that its caller has gone.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from jobs.run.log import LOGGER

if TYPE_CHECKING:
    from pyspark import SparkContext

STOPPED = 130
"""The exit code: that of a shell for a program that an interrupt has ended."""
REASON = "stopped by Ctrl-C"
"""What the ledger says of the run."""
_OF_THE_JVM = ("py4j.", "pyspark.java_gateway")
"""Modules that call a JVM, and that start one."""
_PAUSE = 0.2
"""Seconds between two attempts to cancel."""


class StoppedError(BaseException):
    """A person has stopped the command. Not an `Exception`: what goes on after failures does not go on after this."""

    def __init__(self) -> None:
        super().__init__(REASON)


class _Interrupts:
    """Those of one command."""

    def __init__(self) -> None:
        self.asked = False
        self.spark: SparkContext | None = None
        self._settled = False
        self._lock = threading.Lock()

    def handle(self, _: int, frame: FrameType | None) -> None:
        """The handler of SIGINT. Python calls it in the main thread, in between two of its steps."""
        if self.asked:  # who asks twice does not want to wait
            say_stopped()
            os._exit(STOPPED)
        self.asked = True
        threading.Thread(target=self._cancel, daemon=True).start()
        callers = _callers(frame)
        if not callers:
            raise StoppedError
        # Python traces the steps of these frames: the first of them is behind the call.
        for caller in callers:
            caller.f_trace = self._behind_the_call
        sys.settrace(_trace_nothing)

    def _behind_the_call(self, *_: object) -> None:
        sys.settrace(None)
        if not self._settled:
            raise StoppedError

    def settle(self) -> None:
        """Cancel nothing and raise nothing any more."""
        with self._lock:
            self._settled = True

    def _cancel(self) -> None:
        """Cancel what Spark does, until the command has settled: on the way out another job may begin."""
        while True:
            with self._lock:
                if self._settled:
                    return
                if self.spark is not None and not _cancelled(self.spark):
                    return
            time.sleep(_PAUSE)


def _cancelled(spark: "SparkContext") -> bool:
    """Cancel the jobs of a session; false where it has ended, and no job is left to be cancelled."""
    try:
        spark.cancelAllJobs()
    except Exception:  # noqa: BLE001 - whatever a connection raises that is being closed
        return False
    return True


def say_stopped() -> None:
    """The last line of a command that was stopped."""
    LOGGER.error("rollcall: stopped", extra={"exit_code": STOPPED})


_current: _Interrupts | None = None


@contextmanager
def stoppable() -> Iterator[None]:
    """An interrupt of what happens inside raises StoppedError, or makes a job of Spark fail; a second one ends the
    process. In other threads than the main one, which may set no handlers, nothing changes.
    """
    global _current  # noqa: PLW0603 - signals are of a process
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _current = _Interrupts()
    before = signal.signal(signal.SIGINT, _current.handle)
    try:
        yield
    finally:
        _current.settle()
        signal.signal(signal.SIGINT, before)
        _current = None


def take_over(spark: "SparkContext") -> None:
    """Let interrupts cancel the jobs of this, which has just put its own handler in the place of `stoppable`'s."""
    if _current is not None:
        _current.spark = spark
        signal.signal(signal.SIGINT, _current.handle)


def settle() -> bool:
    """Let what remains to be done be done, such as noting a failure; whether a person has stopped the command."""
    if _current is None or not _current.asked:
        return False
    _current.settle()
    return True


def _callers(frame: FrameType | None) -> list[FrameType]:
    """The frames that wait for a call to the JVM, or for its start; none, where there is neither."""
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    calls = [at for at, each in enumerate(frames) if str(each.f_globals.get("__name__", "")).startswith(_OF_THE_JVM)]
    return frames[calls[-1] + 1 :] if calls else []


def _trace_nothing(*_: object) -> None:
    """A trace function for new frames, of which none is traced."""
