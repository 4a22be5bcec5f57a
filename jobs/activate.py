"""activate: choose the models that `identify` follows."""

import click

from jobs.registry.activation import Coverage, activated, choose, coverage
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job
from jobs.run.printed import echo
from udfs.errors import InputError


@job("activate", short=True)
@click.argument("contract", required=False)
@click.option("--allow-gaps", is_flag=True, help="Accept a contract that does not cover all images and persons.")
@click.option(
    "--although",
    metavar="REASON",
    help="Accept a model that was trained here and was not found to be better than the one it was trained from.",
)
def activate(context: Context, contract: str | None, allow_gaps: bool, although: str | None) -> list[Coverage]:
    """Choose the contract that `identify` follows; without one, say what each contract covers.

    \b
    rollcall embed    --tables ./tables --all-pending --config new.toml
    rollcall enroll   --tables ./tables --gallery ./people --gallery-name staff --beside --config new.toml
    rollcall calibrate --tables ./tables --images ./labelled --gallery-size 500 --config new.toml
    rollcall activate --tables ./tables
    rollcall activate --tables ./tables 3f6c

    Embeddings of two models cannot be compared. The new ones are made beside the old ones, which nothing touches;
    the choice is one commit, and so is the way back. The first letters of a contract's id will do. A model of
    `rollcall train` that was not found to be better than the one it was trained from is refused, unless --although says
    why it is chosen.
    """
    found = coverage(context)
    if not found:
        raise InputError(f"{context.tables.place} has no contract yet; run `rollcall embed` first")
    if contract is None:
        _tell(context, found)
    else:
        choose(context, found, contract, allow_gaps, although)
    return found


def _tell(context: Context, found: list[Coverage]) -> None:
    chosen = activated(context)
    for each in found:
        echo(
            f"{'*' if each.contract_id == chosen else ' '} {each.contract_id}  {each.models}: images"
            f" {each.images:,} of {each.of_images:,}, persons {each.persons:,} of {each.of_persons:,},"
            f" calibrations {each.calibrations:,}"
        )
    if chosen is None:
        echo("no contract has been activated: each gallery is searched under the contract of its samples")


command = activate.command

if __name__ == "__main__":
    run_command(command)
