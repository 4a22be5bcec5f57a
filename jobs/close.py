"""close: close an investigation, which then holds nothing beyond its time."""

import click

from jobs.investigations.closing import close_investigation
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job


@job("close", short=True)
@click.option("--investigation", required=True, metavar="NAME", help="The investigation.")
@click.option("--by", "closed_by", metavar="NAME", help="Who closes it.  [default: the user of this machine]")
@click.option("--reopen", is_flag=True, help="Open it again instead.")
def close(context: Context, *, investigation: str, closed_by: str | None, reopen: bool) -> None:
    """Close an investigation, or open it again. Question and answer stay as they are.

    \b
    rollcall close --tables ./tables --investigation 'gate 3' --by ann
    rollcall sql --tables ./tables "SELECT investigation, asked_by FROM investigations WHERE closed_at IS NULL"

    As long as it is open, an investigation holds the faces that it has found beyond the days that the settings keep
    them (`rollcall retain`); or for retention.investigations days, where the settings say so.
    """
    close_investigation(context, investigation, closed_by, reopen=reopen)


command = close.command

if __name__ == "__main__":
    run_command(command)
