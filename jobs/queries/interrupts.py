"""What an interrupt (Ctrl-C) does while statements are answered. PySpark's own handler calls the JVM and then raises,
from wherever the program is: in the middle of another call to the JVM, as at a second interrupt, that spoils the
connection. The main thread alone may use what is here, as it alone may set handlers.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def noted() -> Iterator[threading.Event]:
    """Interrupts set an event, and do nothing else."""
    interrupted = threading.Event()
    with _handled_by(lambda *_: interrupted.set()):
        yield interrupted


@contextmanager
def raised() -> Iterator[None]:
    """Interrupts raise KeyboardInterrupt, and do nothing else."""
    with _handled_by(signal.default_int_handler):
        yield


@contextmanager
def _handled_by(handler: Any) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
