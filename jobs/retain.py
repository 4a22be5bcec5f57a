"""retain: remove faces and images whose time is over, as the settings say."""

from datetime import UTC, date, datetime

import click
from rich import box
from rich.console import Console
from rich.table import Column, Table

from jobs.erasure.forgetting import forget_histories
from jobs.retention.limits import Limits
from jobs.retention.plan import TOUCHED, Plan, TablePlan
from jobs.run import ledger, upkeep
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job
from udfs.errors import InputError

_NAMED = 3
"""Investigations that are named; of more the number is said."""


@job("retain")
@click.option("--on", type=RUN_DATE, help="Reckon from this day.  [default: today, UTC]")
@click.option("--yes", is_flag=True, help="Do it. Without, it says what would go, and changes nothing.")
@click.option(
    "--forget",
    "forgetting",
    is_flag=True,
    help="Leave no earlier version of these tables, so that the bytes are gone when it ends. For a time in which"
    " nothing runs, and refused while a run is under way.  [default: `rollcall maintain` removes the files in a week]",
)
def retain(context: Context, *, on: date | None, yes: bool, forgetting: bool) -> dict[str, int]:
    """Remove the faces and images whose time is over: that were kept for longer than the settings say.

    \b
    rollcall retain --tables ./tables --set retention.unknown_faces=30
    rollcall retain --tables ./tables --config ours.toml --yes

    The section [retention] of the settings gives a number of days for matches, faces in review, unknown faces, images
    without faces and rejected images, for all sources or for single ones; days count from the run_date. What has no
    number is kept, so by default nothing is removed. With a face goes all that is kept of it; with its last face its
    image. What an open investigation has found is held until it is closed (`rollcall close`). `ingest` does not take in
    again what was removed. Without --yes it says what would go. docs/privacy.md says when the bytes are gone.
    """
    today = datetime.now(UTC).date()
    limits = Limits(context.settings.retention, on or today)
    if not limits.numbers:
        context.log.info("retain: the settings limit nothing (section [retention]), so nothing is removed")
        return {}
    context.tables.read("images")  # without an inventory there is nothing to remove, and it says so
    context.log.info(f"retain: what is older than these days on {limits.on}: {limits.in_words()}")
    if limits.unlimited:
        context.log.info(f"retain: kept without limit: {', '.join(limits.unlimited)}")
    if nowhere := limits.unknown_sources(context):
        context.log.warning(
            f"retain: no image is of these sources, which the settings name: {', '.join(nowhere)}; are they written"
            " as the table images has them?"
        )
    if not yes:
        _print(plan := Plan.of(context, limits))
        context.log.info("retain: nothing was changed; --yes does it")
        return {name: each.rows.deleted for name, each in plan.tables.items()}
    if limits.on > today:
        raise InputError(f"--on {limits.on} has not come yet, and what is over then is not over now; leave out --yes")
    if forgetting:
        upkeep.refuse_forgetting(context)
    with ledger.run(context, on=limits.on, limits=limits.in_words()) as run:
        plan = Plan.of(context, limits)
        plan.carry_out(context, run)
        if forgetting:
            try:
                upkeep.refuse_forgetting(context, run.run_id)  # one may have begun meanwhile
            except InputError as error:
                raise InputError(f"the rows are removed, but earlier versions still have them: {error}") from error
            forget_histories(context, [name for name in TOUCHED if context.tables.exists(name)])
    _print(plan)
    return run.counts


def _print(plan: Plan) -> None:
    table = Table(
        Column("table"), Column("rows", justify="right"), Column("why"), Column("held", justify="right"), Column("by"),
        box=box.SIMPLE_HEAD,
    )  # fmt: skip
    for name, each in plan.tables.items():
        table.add_row(
            name, _rows(each), _why(name, each), f"{each.held:,}" if each.held else "", _by(plan) if each.held else ""
        )
    Console(width=None if Console().is_terminal else 160).print(table)


def _rows(plan: TablePlan) -> str:
    changed = f" and {plan.rows.rewritten:,} changed" if plan.rows.rewritten else ""
    return f"{plan.rows.deleted:,}{changed}"


def _why(name: str, plan: TablePlan) -> str:
    if plan.why:
        return ", ".join(f"{count:,} {kind}" for kind, count in sorted(plan.why.items()))
    if plan.rows.is_empty:
        return ""
    return "of these images" if name in ("staged", "verifications", "image_outcomes") else "of these faces"


def _by(plan: Plan) -> str:
    held = plan.due.held_by
    if len(held) > _NAMED:
        return f"{len(held):,} open investigations"
    return ", ".join(f"investigation {name!r}" for name in sorted(held))


command = retain.command

if __name__ == "__main__":
    run_command(command)
