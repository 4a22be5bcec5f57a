"""maintain: keep the tables quick to read, and remove files that no version needs any more."""

import click
from rich import box
from rich.console import Console
from rich.table import Column, Table

from jobs.run import ledger, upkeep
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from jobs.run.upkeep import FilesOf
from jobs.search import packing


@job("maintain")
@click.option(
    "--retain",
    type=Number(min=0),
    default=upkeep.RETAINED,
    show_default=True,
    metavar="HOURS",
    help="Keep files that a version of so long ago needs. Less than the default is for a time in which nothing runs,"
    " and refused while a run is under way.",
)
@click.option("--report", is_flag=True, help="Say what there is, and change nothing.")
def maintain(context: Context, retain: float, report: bool) -> FilesOf:
    """Join small files, and remove files that no version needs any more.

    \b
    rollcall maintain --tables ./tables
    rollcall maintain --tables ./tables --report

    Partitions of several files are compacted; matches are then ordered by person, so that "where was this person
    seen?" reads few files. Jobs may run meanwhile: whichever of them commits second reads again.
    """
    found = upkeep.present(context)
    if not report:
        upkeep.refuse_if_under_way(context, retain)
        with ledger.run(context) as run:
            found = upkeep.maintain_tables(context, list(found), retain, run)
            if "gallery" in found:
                run.count("packed_galleries_removed", len(packing.sweep(context, packing.KEPT)))
    _print(found)
    return found


def _print(found: FilesOf) -> None:
    columns = [
        Column(name, justify="left" if name == "table" else "right") for name in ("table", "files", "MB", "MB each")
    ]
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for name, (before, after) in found.items():
        files = f"{after.count:,}" if before == after else f"{before.count:,} -> {after.count:,}"
        table.add_row(name, files, f"{after.bytes / 1e6:,.1f}", f"{after.bytes / 1e6 / max(1, after.count):,.2f}")
    Console(width=None if Console().is_terminal else 120).print(table)


command = maintain.command

if __name__ == "__main__":
    run_command(command)
