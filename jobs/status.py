"""status: whether the tables are kept up, for a person, for monitoring, and for Prometheus."""

from datetime import UTC, datetime
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from jobs.reports.health import Health, due_by, health
from jobs.reports.metrics import write_metrics
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job
from jobs.run.printed import echo
from jobs.run.wording import dates_in_words


@job("status", fails=bool, short=True)
@click.option(
    "--late-after",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="DAYS",
    help="Warn about dates at least this many days old that have not been listed, embedded or identified.",
)
@click.option(
    "--metrics",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write figures in Prometheus' text format, for its node exporter's textfile collector.",
)
def status(context: Context, *, late_after: int, metrics: Path | None) -> list[str]:
    """Say how the tables are kept up. Exits with 1 if someone should look.

    \b
    rollcall status --tables ./tables --metrics /var/lib/node_exporter/rollcall.prom

    Last runs; dates that were not listed; images without an outcome; dates that were not identified; rejections by
    reason, beside those of the 30 dates before; throughput; galleries and the contract in force.
    """
    found = health(context)
    now = datetime.now(UTC)
    warnings = found.complaints(now, late_after)
    _print(found)
    for warning in warnings:
        echo(f"warning: {warning}")
    if warnings:
        echo(f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}")
    else:
        echo("all is well")
    if metrics is not None:
        write_metrics(metrics, found, due_by(now, late_after), not warnings)
    return warnings


def _print(found: Health) -> None:
    runs = Table("job", "last run", "began (UTC)", "seconds", "run", box=box.SIMPLE_HEAD)
    for run in found.runs:
        runs.add_row(run.job, run.state, f"{run.began:%Y-%m-%d %H:%M}", f"{run.seconds:,.0f}", run.run_id)
    Console(width=None if Console().is_terminal else 120).print(runs)
    for each in found.registered:
        echo(
            f"gallery {each.gallery!r}: {each.persons:,} persons, {each.samples:,} samples, contract {each.contract_id}"
        )
    for gallery, persons in found.unregistered.items():
        echo(
            f"gallery {gallery!r}: {persons:,} persons of its list are not in force, as no photo of theirs is accepted;"
            " `rollcall enroll` says who, and the table enrollments why"
        )
    if found.activated is not None:
        echo(f"contract chosen by `rollcall activate`: {found.activated}")
    if found.listed:
        echo(f"listed: {len(found.listed):,} dates, the newest {found.listed[-1]}")
    echo(f"pending: {sum(found.pending.values()):,} images of {len(found.pending):,} dates")
    if found.future:
        echo(
            f"dated in the future: {sum(found.future.values()):,} images of {dates_in_words(sorted(found.future))};"
            " check the clocks of the cameras, and the dates in names"
        )
    for gallery, days in found.unidentified.items():
        echo(f"not identified against {gallery!r}: {len(days):,} dates")
    for of_reason in found.rejections:
        echo(
            f"{of_reason.reason}: {of_reason.count:,} of the newest date ({of_reason.share:.1%}), usually"
            f" {of_reason.usual:.1%}"
        )
    if found.images_per_second is not None:
        echo(f"embed: {found.images_per_second:.1f} images/s in its last run, the time to start included")


command = status.command

if __name__ == "__main__":
    run_command(command)
