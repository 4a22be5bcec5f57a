"""The errors that any part of Rollcall may find: one a person can mend, one that time may."""


class InputError(Exception):
    """Something given to Rollcall is wrong. The message is one line and says what to do. Exit code 2."""


class StoreError(OSError):
    """A store does not answer, though it was waited for; another run may succeed. Exit code 1."""
