"""status: whether the tables are kept up, for a person, for monitoring, and for Prometheus."""

import os
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from jobs.health import Health, due_by, health
from jobs.options import Context, job_command, run_command


@job_command("status")
@click.option(
    "--late-after",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="DAYS",
    help="A date that is so many days old should have been listed, embedded and identified.",
)
@click.option(
    "--metrics",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write figures in Prometheus' text format, for its node exporter's textfile collector.",
)
def command(context: Context, **arguments: object) -> None:
    """Say how the tables are kept up. Exits with 1 if someone should look.

    \b
    rollcall status --tables ./tables --metrics /var/lib/node_exporter/rollcall.prom

    Last runs; dates that were not listed; images without an outcome; dates that were not identified; rejections by
    reason, beside those of the 30 dates before; throughput; galleries and the contract in force.
    """
    if status(context, **arguments):  # type: ignore[arg-type]
        sys.exit(1)


def status(context: Context, *, late_after: int = 1, metrics: Path | None = None) -> list[str]:
    """Print what there is, and write the metrics; returns what someone should look at."""
    found = health(context)
    now = datetime.now(UTC)
    complaints = found.complaints(now, late_after)
    _print(found)
    for complaint in complaints:
        click.echo(f"look: {complaint}")
    click.echo("all is well" if not complaints else f"{len(complaints)} to look at")
    if metrics is not None:
        write_whole(metrics, in_prometheus_format(found, due_by(now, late_after), not complaints))
    return complaints


def _print(found: Health) -> None:
    runs = Table("job", "last run", "began (UTC)", "seconds", "run", box=box.SIMPLE_HEAD)
    for run in found.runs:
        runs.add_row(run.job, run.state, f"{run.began:%Y-%m-%d %H:%M}", f"{run.seconds:,.0f}", run.run_id)
    Console(width=None if Console().is_terminal else 120).print(runs)
    for of in found.registered:
        click.echo(f"gallery {of.gallery!r}: {of.persons:,} persons, {of.samples:,} samples, contract {of.contract_id}")
    if found.activated is not None:
        click.echo(f"activated: {found.activated}")
    if found.listed:
        click.echo(f"listed: dates up to {found.listed[-1]}, {len(found.listed):,} in all")
    click.echo(f"pending: {sum(found.pending.values()):,} images of {len(found.pending):,} dates")
    for gallery, days in found.unidentified.items():
        click.echo(f"not identified against {gallery!r}: {len(days):,} dates")
    for of_reason in found.rejections:
        click.echo(
            f"{of_reason.reason}: {of_reason.count:,} of the newest date ({of_reason.share:.1%}), usually"
            f" {of_reason.usual:.1%}"
        )
    if found.images_per_second is not None:
        click.echo(f"embed: {found.images_per_second:.1f} images/s, start included")


def in_prometheus_format(found: Health, due: date, healthy: bool) -> str:
    """The figures in Prometheus' text exposition format. due: of `due_by`."""
    lines: list[str] = []

    def gauge(name: str, said: str, values: list[tuple[dict[str, str], float]]) -> None:
        lines.extend([f"# HELP rollcall_{name} {said}", f"# TYPE rollcall_{name} gauge"])
        for labels, value in values:
            inside = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            lines.append(f"rollcall_{name}{{{inside}}} {value:.10g}" if inside else f"rollcall_{name} {value:.10g}")

    names = sorted({of.gallery for of in found.registered} | set(found.unidentified))
    gauge("healthy", "1 unless someone should look.", [({}, float(healthy))])
    gauge(
        "last_success_timestamp_seconds",
        "When a run of the job last finished.",
        [({"job": run.job}, run.succeeded.timestamp()) for run in found.runs if run.succeeded is not None],
    )
    gauge(
        "last_run_failed",
        "1 if the last run of the job failed.",
        [({"job": run.job}, float(run.state == "failed")) for run in found.runs],
    )
    gauge(
        "last_run_seconds",
        "How long the last run of the job took, or takes.",
        [({"job": run.job}, run.seconds) for run in found.runs],
    )
    if found.listed:
        newest = datetime.combine(found.listed[-1], time(), UTC).timestamp()
        gauge("newest_listed_date_timestamp_seconds", "The newest date whose images were listed.", [({}, newest)])
    gauge("unlisted_dates", "Of the last 30 dates, those that were not listed.", [({}, len(found.unlisted(due)))])
    gauge("pending_images", "Images without a final outcome.", [({}, sum(found.pending.values()))])
    gauge("pending_dates", "Dates with such images.", [({}, len(found.pending))])
    gauge(
        "unidentified_dates",
        "Dates with faces that were never searched for.",
        [({"gallery": name}, len(found.unidentified.get(name, []))) for name in names],
    )
    gauge(
        "rejected_share",
        "Of the images of the newest date.",
        [({"reason": of.reason.removeprefix("rejected:")}, of.share) for of in found.rejections],
    )
    gauge(
        "rejected_share_usual",
        "Of the images of the dates before.",
        [({"reason": of.reason.removeprefix("rejected:")}, of.usual) for of in found.rejections],
    )
    if found.images_per_second is not None:
        gauge("embed_images_per_second", "Of the last embed.", [({}, found.images_per_second)])
    named = [({"gallery": of.gallery, "contract": of.contract_id}, of) for of in found.registered]
    gauge("gallery_persons", "Registered persons.", [(labels, of.persons) for labels, of in named])
    gauge("gallery_samples", "Their samples.", [(labels, of.samples) for labels, of in named])
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old one or the new one."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    partial.replace(path)


if __name__ == "__main__":
    run_command(command)
