"""summary: one page on what a date brought."""

from pathlib import Path
from typing import Any

import click

from jobs.reports.night import summarise
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job
from pages.report import Report


@job("summary")
@click.option("--run-date", type=RUN_DATE, required=True, help="The date.")
@click.option(
    "--output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page, self-contained HTML.",
)
def summary(context: Context, **arguments: Any) -> Report:
    """Write one page on a date: images, faces, decisions, who was found where, and what someone should look at.

    \b
    rollcall summary --tables ./tables --run-date 2026-01-31 --output ./2026-01-31.html

    The page names persons and images, as the tables do: keep it where those may be read.
    """
    return summarise(context, **arguments)


command = summary.command

if __name__ == "__main__":
    run_command(command)
