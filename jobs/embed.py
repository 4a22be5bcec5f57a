"""embed: find and embed the faces of images that are pending, slice by slice."""

from typing import Any

import click

from jobs.faces.slices import embed_pending
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job


@job("embed")
@click.option("--run-date", type=RUN_DATE, help="The images of this date.")
@click.option("--all-pending", is_flag=True, help="The images of all dates.")
@click.option(
    "--commit-every",
    type=click.IntRange(min=1),
    default=5000,
    show_default=True,
    help="Images in a slice, which is written as a whole: a killed run loses at most one slice.",
)
@click.option("--partitions", type=click.IntRange(min=1), help="Spark tasks for each slice.  [default: by its size]")
def embed(context: Context, **arguments: Any) -> dict[str, int]:
    """Find and embed the faces of every image that has no outcome yet.

    \b
    rollcall embed --tables ./tables --run-date 2026-01-31
    rollcall embed --tables ./tables --all-pending --set vision.embedder=dlib-resnet-v1

    Every image gets an outcome: faces, no_face, or rejected with a reason. Images that have one under the
    same models and limits are not opened again. A run that was killed goes on where it stopped. Images of a
    --source-table that cannot be opened, or has two rows for one of them, stay pending, which is said.
    """
    return embed_pending(context, **arguments)


command = embed.command

if __name__ == "__main__":
    run_command(command)
