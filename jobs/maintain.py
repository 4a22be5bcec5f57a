"""maintain: migrate tables of older releases, keep the tables quick to read, and remove files that are not needed."""

import click
from rich import box
from rich.console import Console
from rich.table import Column, Table

from jobs.matching import packing
from jobs.run import ledger, upkeep
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from jobs.run.printed import echo
from jobs.run.upkeep import FilesOf
from schemas.table import SCHEMA_VERSION


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
    """Migrate tables of older releases, join small files, and remove files that no version needs any more.

    \b
    rollcall maintain --tables ./tables
    rollcall maintain --tables ./tables --report

    Tables that an older release wrote are first brought to this release's schema version (the first write to one does
    the same). Partitions of several files are compacted; matches are then ordered by person, so that "where was this
    person seen?" reads few files. With --database, the views and functions of docs/tables.md are created in the schema,
    as far as there are tables for them. Jobs may run meanwhile: whichever of them commits second reads again.
    """
    names = upkeep.present(context)
    outdated = context.tables.outdated()  # before the run is noted: that migrates the table `runs`
    if report:
        _print_outdated(outdated)
        found = upkeep.files_as_they_are(context, names)
    else:
        upkeep.refuse_if_under_way(context, retain)
        with ledger.run(context) as run:
            upkeep.migrate_tables(context, outdated, run)
            found = upkeep.maintain_tables(context, names, retain, run)
            upkeep.publish_views(context, run)
            if "gallery" in found:
                run.count("packed_galleries_removed", len(packing.sweep(context, packing.KEPT)))
    _print(found)
    return found


def _print_outdated(outdated: dict[str, str]) -> None:
    for name, version in outdated.items():
        echo(f"{name}: schema version {version}; `rollcall maintain` would migrate it to version {SCHEMA_VERSION}")


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
