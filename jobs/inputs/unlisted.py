"""Directories that could not be listed: they are said and counted, and the rest goes on."""

from collections.abc import Sequence

from jobs.run.context import Context

TOLD_AT_MOST = 20


def say(context: Context, problems: Sequence[str], count: int) -> None:
    """Log a warning for each directory, and how many more there are. problems: the first TOLD_AT_MOST of them, each in
    a line that says what to do. count: of all.
    """
    for problem in problems[:TOLD_AT_MOST]:
        context.log.warning(f"{context.job}: {problem}")
    if count > TOLD_AT_MOST:
        context.log.warning(f"{context.job}: and {count - TOLD_AT_MOST:,} more directories that cannot be listed")


def in_words(count: int) -> str:
    """What to add to a line that says what was listed; nothing if all was."""
    if not count:
        return ""
    return f"; {count:,} {'directory' if count == 1 else 'directories'} could not be listed: see the warnings"
