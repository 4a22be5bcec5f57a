"""Waiting for a store that fails for a while: it is overloaded, restarts, or the network is interrupted."""

import re
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 120.0
"""Seconds that one call is tried again, and seconds after which a store that has answered nothing is given up."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0

_failing_since: dict[str, float] = {}
"""Stores that answered nothing since, by name; of this process."""


def until_answered(store: str, call: Callable[[], T]) -> T:
    """What `call` returns; tried again with growing pauses while the store fails.

    A store that has failed for PATIENCE seconds without one answer is given up: calls try once, until one is
    answered. So a store that is down costs a process that time once, and not with each of its files.

    store: the name of what may fail as a whole, e.g. `s3://lake`.

    Raises:
        OSError: of the last try; or at once, where another try would not help: the file does not exist, or the
            store refuses.
    """
    began, pause = time.monotonic(), _FIRST_PAUSE
    while True:
        try:
            answer = call()
        except OSError as error:
            if is_final(error):
                _failing_since.pop(store, None)
                raise
            now = time.monotonic()
            since = min(began, _failing_since.setdefault(store, now))
            if now + pause - since > PATIENCE:
                raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            _failing_since.pop(store, None)
            return answer


_REFUSED = re.compile(
    r"ACCESS_DENIED|SIGNATURE|CREDENTIAL|INVALID_ACCESS_KEY|EXPIRED|UNRECOGNIZED_CLIENT|NO_SUCH_BUCKET"
    r"|AUTHORI[SZ]ATION|UNAUTHENTICATED|PERMISSION|HTTP status 40[0134]",
    re.IGNORECASE,
)
"""Refusals, in the words of the stores' clients (pyarrow raises one class, OSError, for all errors)."""
_TIMED_OUT = re.compile(r"REQUEST_TIMEOUT|RequestTimeout", re.IGNORECASE)
"""For which S3 answers with the status of a wrong request."""
_BEFORE_THE_REASON = re.compile(r".*(AWS Error |google::cloud::Status\()", re.DOTALL)
"""The name of the file, which may contain any word."""
_NAME = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|\S+://\S+")
"""The same, in the words of the clients of HDFS and Azure."""


def is_final(error: OSError) -> bool:
    """Whether the store has answered, and would answer the same again."""
    if isinstance(error, FileNotFoundError | PermissionError | NotADirectoryError | IsADirectoryError):
        return True
    reason = _NAME.sub("", _BEFORE_THE_REASON.sub("", str(error)))
    return _TIMED_OUT.search(reason) is None and _REFUSED.search(reason) is not None
