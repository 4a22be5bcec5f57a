"""An investigation is closed, and keeps what it has found no longer than its retention time; or it is opened again."""

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
        if reopen:
            raise InputError(f"the investigation {name!r} is open already")
        closed_at = f"{ledger.utc(found.closed_at):%Y-%m-%d %H:%M} UTC"
        raise InputError(f"the investigation {name!r} was already closed by {found.closed_by} at {closed_at}")
    by = closed_by or user()
    with ledger.run(context, closed_by=by):
        at, who = (None, None) if reopen else (datetime.now(UTC), by)
        rows = context.tables.read("investigations").where(F.col("investigation") == name).localCheckpoint()
        closed = {"closed_at": F.lit(at).cast("timestamp"), "closed_by": F.lit(who).cast("string")}
        context.tables.change("investigations", rows.withColumns(closed))
    keeps = "is open again: it keeps" if reopen else "is closed: it no longer keeps"
    context.log.info(
        f"close: the investigation {name!r} {keeps} the faces that it has found beyond their retention time"
    )
