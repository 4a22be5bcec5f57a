"""An investigation is closed, and holds nothing beyond its time any more; or it is opened again."""

from datetime import UTC, datetime

from pyspark.sql import functions as F

from jobs.investigations.record import recorded, user
from jobs.run import ledger
from jobs.run.context import Context
from udfs.errors import InputError


def close_investigation(context: Context, name: str, closed_by: str | None, *, reopen: bool) -> None:
    """Close an investigation, or open it again.

    Raises:
        InputError: there is none of this name, or it is closed, or open, already.
    """
    found = recorded(context, name)
    if reopen == (found.closed_at is None):
        said = "is open" if reopen else f"was closed by {found.closed_by} on {found.closed_at:%Y-%m-%d}"
        raise InputError(f"the investigation {name!r} {said} already")
    by = closed_by or user()
    with ledger.run(context, closed_by=by):
        at, who = (None, None) if reopen else (datetime.now(UTC), by)
        rows = context.tables.read("investigations").where(F.col("investigation") == name).localCheckpoint()
        closed = {"closed_at": F.lit(at).cast("timestamp"), "closed_by": F.lit(who).cast("string")}
        context.tables.change("investigations", rows.withColumns(closed))
    what = "is open again, and holds" if reopen else "is closed, and does not hold any more"
    context.log.info(f"close: the investigation {name!r} {what} what it has found")
