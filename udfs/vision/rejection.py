"""Why an image is not searched for faces."""

from collections.abc import Iterator
from contextlib import contextmanager


class RejectedError(Exception):
    """An image in which no faces can be looked for; its outcome is `rejected:<reason>`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


def in_one_line(error: Exception) -> str:
    """What an exception says."""
    return " ".join(str(error).split())[:300] or type(error).__name__


@contextmanager
def damage_is_truncated() -> Iterator[None]:
    """Whatever a decoder raises rejects the image as `truncated`: damaged data may raise anything, and costs one image.
    What it takes of memory that there is not is no damage.
    """
    try:
        yield
    except (MemoryError, RejectedError):
        raise
    except Exception as error:
        raise RejectedError("truncated", in_one_line(error)) from error
