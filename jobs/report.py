"""report: a page of faces to look at, of a date, a person, an investigation, or the unknown."""

from datetime import date
from pathlib import Path

import click

from jobs.reports import cluster_sheet, contact_sheet
from jobs.reports.sheets import Shown
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job, page_output
from jobs.run.outputs import written
from udfs.errors import InputError


@job("report", short=True)
@click.option("--run-date", type=RUN_DATE, help="The faces of this date.")
@click.option("--person", metavar="ID", help="The faces that show this person, or may, instead.")
@click.option("--investigation", metavar="NAME", help="What an investigation has found, instead.")
@click.option("--clusters", metavar="GROUPING", help="The clusters of a grouping, such as unknown, instead.")
@click.option("--cluster", "cluster_id", metavar="CLUSTER", help="The faces of a cluster, instead.")
@click.option("--gallery-name", metavar="G", help="Only what this gallery says; by default what each says.")
@page_output
@click.option("--limit", type=click.IntRange(min=1), default=2000, show_default=True, help="Faces shown at most.")
@click.option("--blackout", is_flag=True, help="Put no picture of a face into the page.")
def report(
    context: Context,
    *,
    run_date: date | None,
    person: str | None,
    investigation: str | None,
    clusters: str | None,
    cluster_id: str | None,
    gallery_name: str | None,
    output: Path,
    limit: int,
    blackout: bool,
) -> Path:
    """Write one page: each face beside the sample it is most like, similarity and decision, to be reviewed.

    \b
    rollcall report --tables ./tables --run-date 2026-01-31 --output ./2026-01-31.html
    rollcall report --tables ./tables --person obama --output ./obama.html --blackout
    rollcall report --tables ./tables --investigation 'gate 3' --output ./gate-3.html
    rollcall report --tables ./tables --clusters unknown --output ./unknown.html

    The page needs no server: it filters, sorts and searches by itself, and decisions ticked in it are saved as the file
    that `rollcall review --decisions` reads. Faces are cut from the images of the lake when the page is made, and are
    kept nowhere else: keep the page where the images may be seen.
    """
    shown = Shown(limit, blackout)
    if sum(each is not None for each in (run_date, person, investigation, clusters, cluster_id)) != 1:
        raise InputError(
            "say what to show: --run-date YYYY-MM-DD, --person ID, --investigation NAME, --clusters GROUPING or"
            " --cluster CLUSTER"
        )
    if gallery_name is not None and run_date is None and person is None:
        raise InputError("--gallery-name is for --run-date and --person; leave it out")
    if run_date is not None:
        page = contact_sheet.of_date(context, run_date, gallery_name, shown)
    elif person is not None:
        page = contact_sheet.of_person(context, person, gallery_name, shown)
    elif clusters is not None:
        page = cluster_sheet.of_clusters(context, clusters, shown)
    elif cluster_id is not None:
        page = cluster_sheet.of_cluster(context, cluster_id, shown)
    else:
        assert investigation is not None
        page = contact_sheet.of_investigation(context, investigation, shown)
    return written(context, page, output)


command = report.command

if __name__ == "__main__":
    run_command(command)
