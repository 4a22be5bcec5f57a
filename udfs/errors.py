"""The one error a person can mend, whatever part of Rollcall found it."""


class InputError(Exception):
    """Something given to Rollcall is wrong. The message is one line and says what to do. Exit code 2."""
