"""The errors that any part of Rollcall may raise: one that a person can correct, one that may pass by itself."""


class InputError(Exception):
    """Something given to Rollcall is wrong. The message is one line and says what to do. Exit code 2."""


class StoreError(OSError):
    """A store does not answer, after waiting for it; another run may succeed. Exit code 1."""
