"""Images that wait for `embed`: their faces are in no answer of `identify`, which says so."""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import functions as F

from jobs.faces.pending import unfinished_by_date
from jobs.run.context import Context
from jobs.run.wording import dates_in_words
from schemas.literals import on_dates
from schemas.store import Tables
from udfs import lake


def tell_waiting(context: Context, contract_id: str | None, run_dates: Sequence[date] | None = None) -> None:
    """Say how many images of some dates, or of all, have no final outcome under a contract, or under any, if some have
    none."""
    chosen = F.lit(True) if run_dates is None else on_dates(run_dates)
    mine = F.lit(True) if contract_id is None else F.col("contract_id") == contract_id
    found = unfinished_by_date(context.tables, chosen, mine)
    if found:
        days = sorted(found)
        which = f"--run-date {days[0]}" if len(days) == 1 else "--all-pending"
        waiting = sum(found.values())
        said = "1 image waits" if waiting == 1 else f"{waiting:,} images wait"
        context.log.warning(
            f"identify: {said} for `embed` on {dates_in_words(days)}, and their faces are not among these: run"
            f" `rollcall embed {which}`, then this again"
        )


def some_may_wait(tables: Tables, counts: Mapping[str, int]) -> bool:
    """Whether it is worth looking for images that wait: a run with nothing new is to ask the tables nothing more.

    counts: of the run. With faces, and none of them new, an image waits only if it was listed since the last outcomes
    were written, or since dates were last identified.
    """
    if not counts["faces"] or counts["fresh"] or counts["dropped"]:
        return tables.exists("images")
    known = min(_changed(tables, "image_outcomes"), _changed(tables, "searches"))
    return tables.exists("images") and _changed(tables, "images") > known


def _changed(tables: Tables, table: str) -> int:
    """When a table was last written, in microseconds since 1970; 0 if it never was."""
    if not tables.exists(table):
        return 0
    files = lake.list_directory(f"{tables.location(table)}/_delta_log").files
    return max(file.modified_us for file in files if file.uri.endswith(".json"))
