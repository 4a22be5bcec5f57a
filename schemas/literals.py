"""Values in statements of SQL."""

from collections.abc import Iterable
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F


def quoted(text: str) -> str:
    """Text as a literal of Spark's SQL."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def on_dates(run_dates: Iterable[date]) -> Column:
    """Of a row with `run_date`: whether it is of one of some dates."""
    # As text: of each literal that Python builds the JVM is asked several times, and there may be thousands.
    days = ", ".join(f"DATE'{day.isoformat()}'" for day in sorted(run_dates))
    return F.expr(f"run_date IN ({days})")
