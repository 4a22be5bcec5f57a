"""sweep: remove the packed galleries that `identify` has left for its next run."""

import click

from jobs.matching import packing
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job


@job("sweep", short=True)
@click.option(
    "--older-than",
    type=Number(min=0),
    default=packing.KEPT / 3600,
    show_default=True,
    metavar="HOURS",
    help="Remove those that have not been searched for this long.",
)
def sweep(context: Context, older_than: float) -> list[str]:
    """Remove the packed galleries that `identify` and `enroll` have left for their next run.

    \b
    rollcall sweep --tables ./tables --older-than 0

    A packed gallery holds embeddings of everyone in it, of those withdrawn since as well. `identify` itself
    removes what it has not used for a day. With 0 all are removed, and the next run packs again; not while
    one is running.
    """
    context.tables.read("gallery")  # without the table there is nothing to remove, and it says so
    removed = packing.sweep(context, older_than * 3600)
    context.log.info(f"sweep: {len(removed)} packed galleries removed from {packing.place(context)}")
    return removed


command = sweep.command

if __name__ == "__main__":
    run_command(command)
