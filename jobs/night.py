"""night: all the jobs of a date, one after the other, in one session."""

from datetime import date
from pathlib import Path

import click

from jobs.embed import embed
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job
from jobs.summary import summary
from udfs.errors import InputError


@job("night")
@click.option("--run-date", type=RUN_DATE, required=True, help="The date.")
@click.option("--source", metavar="URI", help="As of `ingest`.")
@click.option("--source-table", metavar="NAME", help="As of `ingest`.")
@click.option("--gallery-name", metavar="G", help="The gallery to search; not needed when there is only one.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page on the date, as of `summary`.  [default: no page]",
)
@click.option("--blackout", is_flag=True, help="As of `summary`.")
def night(
    context: Context,
    *,
    run_date: date,
    source: str | None,
    source_table: str | None,
    gallery_name: str | None,
    output: Path | None,
    blackout: bool,
) -> None:
    """List, embed and identify the images of a date, and write a page on it: `ingest`, `embed`, `identify`, `summary`.

    \b
    rollcall night --tables ./tables --source './lake/{run_date}/' --run-date 2026-01-31 --output ./2026-01-31.html

    Each job is noted in `runs` as if it were run by itself. The first that fails ends the night; the same line again
    goes on where it stopped.
    """
    if blackout and output is None:
        raise InputError("--blackout is for the page; add --output FILE")
    ingest(context, source=source, source_table=source_table, run_date=run_date)
    embed(context, run_date=run_date)
    identify(context, run_date=run_date, gallery_name=gallery_name)
    if output is not None:
        summary(context, run_date=run_date, output=output, blackout=blackout)


command = night.command

if __name__ == "__main__":
    run_command(command)
