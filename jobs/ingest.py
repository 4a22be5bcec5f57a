"""ingest: take an inventory of a source; lists files, never opens one."""

from typing import Any

import click

from jobs.inputs.listing import list_source
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job


@job("ingest")
@click.option(
    "--source",
    metavar="URI",
    help="A folder or URI. May hold {run_date}, {captured_at}, {source}, {case_id}.",
)
@click.option("--source-table", metavar="NAME", help="A table with path, length, modificationTime and content instead.")
@click.option("--run-date", type=RUN_DATE, help="Only files of this date.")
@click.option(
    "--suffix",
    "suffixes",
    multiple=True,
    help="Only files whose names end like this, e.g. .jpg, in upper or lower case. May be repeated.",
)
@click.option("--source-name", help="Fills the column `source`, where the source itself does not.")
@click.option("--case-id", help="Fills the column `case_id`, where the source itself does not.")
@click.option(
    "--allow-erased",
    is_flag=True,
    help="Take in files again that were erased (rollcall erase), and forget that they were.  [default: leave them out]",
)
@click.option(
    "--allow-expired",
    is_flag=True,
    help="Take in older files of dates whose images were removed when their time was over (rollcall retain); the next"
    " one removes them again.  [default: leave them out]",
)
@click.option("--allow-empty", is_flag=True, help="An empty listing is not an error.")
def ingest(context: Context, **arguments: Any) -> dict[str, int]:
    """List the files of a source and note those that are new or changed.

    \b
    rollcall ingest --tables ./tables --source ./photos
    rollcall ingest --tables ./tables --source 's3://lake/cctv/{run_date}/{source}/' --run-date 2026-01-31

    Every file is noted: hidden, empty and oddly named ones too. A file's run date is the {run_date} in the
    source, else the date it was last modified (UTC). Nothing is opened; `embed` does that. Files that were erased stay
    out, whatever their version; so do older ones of dates whose images were removed in time.
    """
    return list_source(context, **arguments)


command = ingest.command

if __name__ == "__main__":
    run_command(command)
