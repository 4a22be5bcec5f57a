"""sweep: remove packed galleries and faces, which `identify` and `search` keep for their next run."""

import click

from jobs.matching import packing
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from schemas.catalog import SEEN_PHOTOS


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
    """Remove packed galleries and packed faces, which `identify`, `enroll` and `search` keep for their next run.

    \b
    rollcall sweep --tables ./tables --older-than 0

    What is packed holds embeddings: of everyone in a gallery, of those withdrawn since as well, and of all faces that
    were there when they were last searched. `identify` itself removes the galleries that were not searched for a day
    and a half; faces stay until this job removes them. With 0 all is removed, and the next run packs again; not while
    one is running.
    """
    if not context.tables.exists("faces"):
        context.tables.read("gallery")  # without either table there is nothing to remove, and it says so
    removed = packing.sweep(context, older_than * 3600, ("gallery", SEEN_PHOTOS.name, "faces"))
    context.log.info(f"sweep: {len(removed)} packed galleries and sets of faces removed")
    return removed


command = sweep.command

if __name__ == "__main__":
    run_command(command)
