"""What to do when a worker dies: a codec that runs wild, or memory that ran out, costs one image."""

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

import pyarrow as pa

Result = TypeVar("Result")

# What Spark says when the process that computed is gone, and not what it says of an exception.
_DIED = re.compile(r"Python worker exited unexpectedly|ExecutorLostFailure|ExecutorDeadException")


def by_halves(
    images: pa.Table, work: Callable[[pa.Table], Result], culprit: Callable[[pa.Table], Result]
) -> Iterator[Result]:
    """`work(images)`; if a worker dies of it, of the first half and of the second, and so on, each in
    processes of its own. An image whose worker dies when it is alone goes to `culprit`.
    """
    try:
        result = work(images)
    except Exception as error:
        if not _DIED.search(str(error)):
            raise
        if images.num_rows == 1:
            result = culprit(images)
        else:
            half = images.num_rows // 2
            yield from by_halves(images.slice(0, half), work, culprit)
            yield from by_halves(images.slice(half), work, culprit)
            return
    yield result
