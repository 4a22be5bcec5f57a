"""The errors that any part of Rollcall may raise: one that a person can correct, one that may pass by itself."""

from udfs.redaction import redacted


class InputError(Exception):
    """Something given to Rollcall is wrong. The message is one line and says what to do, and quotes no secret of what
    was given. Exit code 2.
    """

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


class StoreError(OSError):
    """A store does not answer, after waiting for it; another run may succeed. Exit code 1."""
