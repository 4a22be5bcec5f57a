"""Cells of a CSV, which spreadsheets open as well: they take text that begins like a formula for one, and compute it.

An apostrophe before it keeps it text, in every spreadsheet. Rollcall takes it away where it reads a CSV, so that what
it wrote comes back as it was.
"""

import re

_BEGINS = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")


def guarded(text: str) -> str:
    """The text, with an apostrophe more where a spreadsheet would compute it, or where apostrophes are before such."""
    return f"'{text}" if _BEGINS.match(text) else text


def unguarded(text: str) -> str:
    """What was guarded, as it was."""
    return text[1:] if _GUARDED.match(text) else text
