"""Words that messages of several rooms share."""

from collections.abc import Sequence
from datetime import date


def dates_in_words(dates: Sequence[date]) -> str:
    """One date, or how many there are from which to which."""
    return str(dates[0]) if len(dates) == 1 else f"{len(dates):,} dates from {min(dates)} to {max(dates)}"
