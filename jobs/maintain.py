"""maintain: keep the tables quick to read, and remove files that no version needs any more."""

from datetime import UTC, datetime

import click
from pyspark.sql import functions as F
from rich import box
from rich.console import Console
from rich.table import Column, Table

from jobs import ledger, packing
from jobs.options import Context, Number, job_command, run_command
from schemas.catalog import TABLES
from schemas.store import Files
from udfs.errors import InputError

RETAINED = 168.0
"""Hours: the week that Delta itself takes to be safe."""


@job_command("maintain")
@click.option(
    "--retain",
    type=Number(min=0),
    default=RETAINED,
    show_default=True,
    metavar="HOURS",
    help="Keep files that a version of so long ago needs. Less than the default is for a time in which nothing runs,"
    " and refused while a run is under way.",
)
@click.option("--report", is_flag=True, help="Say what there is, and change nothing.")
def command(context: Context, **arguments: object) -> None:
    """Join small files, and remove files that no version needs any more.

    \b
    rollcall maintain --tables ./tables
    rollcall maintain --tables ./tables --report

    Partitions of several files are compacted; matches are then ordered by person, so that "where was this person
    seen?" reads few files. Jobs may run meanwhile: whichever of them commits second reads again.
    """
    counts = maintain(context, **arguments)  # type: ignore[arg-type]
    _print(counts)


def maintain(context: Context, *, retain: float = RETAINED, report: bool = False) -> dict[str, tuple[Files, Files]]:
    """Maintain all tables; returns what files each had before, and has now.

    Raises:
        InputError: less than a week is to be kept, and a run is under way whose files would be removed.
    """
    names = [name for name in TABLES if context.tables.exists(name)]
    if not names:
        raise InputError(f"{context.tables.place}: there are no tables; is the place right?")
    if report:
        return {name: (files, files) for name in names for files in [context.tables.files(name)]}
    _refuse_if_under_way(context, retain)
    found = {}
    with ledger.run(context.spark, context.tables, "maintain", {"retain": retain}) as run:
        for name in names:
            before = context.tables.files(name)
            if before.most > 1:
                context.tables.compact(name)
            _refuse_if_under_way(context, retain, run.run_id)  # one may have begun meanwhile
            context.tables.vacuum(name, retain)
            found[name] = before, context.tables.files(name)
            context.say(f"maintain: {name}: {before.count:,} files, now {found[name][1].count:,}")
        run.count("files_before", sum(before.count for before, _ in found.values()))
        run.count("files", sum(after.count for _, after in found.values()))
        if "gallery" in names:
            run.count("packed_galleries_removed", len(packing.sweep(context, packing.KEPT)))
    return found


def _refuse_if_under_way(context: Context, retain: float, own: str = "") -> None:
    """A run reads the version it has opened, however old that is by its end, and files are written before a commit
    names them: a week is longer than a run takes.
    """
    if retain >= RETAINED:
        return
    recent = F.col("at") > F.lit(datetime.now(UTC) - ledger.LONGEST_RUN)
    begun = context.tables.read("runs").where(recent & (F.col("run_id") != own))
    running = begun.join(ledger.ended(context.tables), "run_id", "left_anti").orderBy("at").first()
    if running is not None:
        raise InputError(
            f"--retain {retain:g} could remove files that run {running.run_id} ({running.job}, since"
            f" {ledger.utc(running.at):%Y-%m-%d %H:%M} UTC) still reads; wait for its end, or keep {RETAINED:g} hours"
        )


def _print(found: dict[str, tuple[Files, Files]]) -> None:
    columns = [
        Column(name, justify="left" if name == "table" else "right") for name in ("table", "files", "MB", "MB each")
    ]
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for name, (before, after) in found.items():
        files = f"{after.count:,}" if before == after else f"{before.count:,} -> {after.count:,}"
        table.add_row(name, files, f"{after.bytes / 1e6:,.1f}", f"{after.bytes / 1e6 / max(1, after.count):,.2f}")
    Console(width=None if Console().is_terminal else 120).print(table)


if __name__ == "__main__":
    run_command(command)
