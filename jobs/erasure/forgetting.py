"""Tables forget all that they were: no earlier version is left of them."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from jobs.run.context import Context

_AT_ONCE = 4
"""Tables: what is done for each waits for small jobs of Spark."""
_BEING_WRITTEN = timedelta(minutes=10)
"""Files that no version of `runs` names and that are younger may be of a run that is about to say that it begins."""


def forget_histories(context: Context, tables: Sequence[str]) -> None:
    """Leave no earlier version of tables that exist. Nobody may be reading or writing them; a run may begin."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(partial(_forget, context), tables):
            pass
    context.log.info(
        f"{context.job}: all earlier versions of {len(tables)} tables are removed; no time travel leads there any more"
    )


def _forget(context: Context, table: str) -> None:
    # Each run writes into `runs` that it begins, also while it then waits. Nobody writes into other tables now.
    now = datetime.now(UTC)
    context.tables.forget_history(table, now - _BEING_WRITTEN if table == "runs" else now)
