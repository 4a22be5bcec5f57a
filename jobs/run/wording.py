"""Words that messages of several rooms share."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame

_NAMED = 5
"""Investigations that are named where there is none of the name that was asked for."""


def dates_in_words(dates: Sequence[date]) -> str:
    """One date, or how many there are from which to which."""
    return str(dates[0]) if len(dates) == 1 else f"{len(dates):,} dates from {min(dates)} to {max(dates)}"


def no_investigation(name: str, investigations: DataFrame) -> str:
    """That there is none of a name, and some that there are."""
    rows = investigations.select("investigation").orderBy("investigation").limit(_NAMED + 1).collect()
    if not rows:
        others = "`rollcall search --investigation` and `rollcall identify --investigation` make them"
    else:
        known = ", ".join(repr(row.investigation) for row in rows[:_NAMED])
        others = f"there are {known}{' and others' if len(rows) > _NAMED else ''}"
    return f"there is no investigation {name!r}; {others}"
