"""summary: one page on what a date brought."""

from datetime import date
from pathlib import Path

import click

from jobs.reports import contact_sheet
from jobs.reports.sheets import Shown
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job, page_output
from jobs.run.outputs import written


@job("summary")
@click.option("--run-date", type=RUN_DATE, required=True, help="The date.")
@page_output
@click.option("--blackout", is_flag=True, help="Put no picture of a face into the page.")
def summary(context: Context, *, run_date: date, output: Path, blackout: bool) -> Path:
    """Write one page on a date: images, faces, who was found where, and what someone should look at.

    \b
    rollcall summary --tables ./tables --run-date 2026-01-31 --output ./2026-01-31.html

    It is the page of `rollcall report --run-date`, as the last job of a night. The page shows faces and names persons
    and images: keep it where those may be seen.
    """
    return written(context, contact_sheet.of_date(context, run_date, None, Shown(blackout=blackout)), output)


command = summary.command

if __name__ == "__main__":
    run_command(command)
