"""enroll: register persons from their photos."""

from functools import partial
from typing import Any

import click

from jobs.decisions.thresholds import for_enrolment
from jobs.gallery.enrolment import enrol
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job


@job("enroll")
@click.option(
    "--gallery",
    metavar="URI",
    required=True,
    help="A folder PERSON/photo.jpg, or a CSV, Parquet or Delta manifest.",
)
@click.option("--gallery-name", metavar="G", required=True, help="The gallery the persons belong to.")
@click.option(
    "--several-faces",
    type=click.Choice(["reject", "largest"]),
    default="reject",
    show_default=True,
    help="What to do with a photo of several faces.",
)
@click.option("--reconsider", is_flag=True, help="Decide on all photos again, also on those decided earlier.")
@click.option(
    "--beside",
    is_flag=True,
    help="Enrol beside the gallery's samples of other models, which stay in force until `rollcall activate`.",
)
@click.option("--sync", is_flag=True, help="Withdraw samples of this gallery that are no longer listed.")
@click.option(
    "--max-withdraw",
    type=Number(0, 1),
    default=0.05,
    show_default=True,
    help="The share of samples that --sync may withdraw.",
)
def enroll(context: Context, **arguments: Any) -> dict[str, int]:
    """Register persons from their photos.

    \b
    rollcall enroll --tables ./tables --gallery ./people --gallery-name staff
    rollcall enroll --tables ./tables --gallery s3://lake/people.csv --gallery-name staff --sync

    One face a photo is wanted. A photo is accepted, refused with the reason, or set aside for review when
    it resembles another person more than its own. Decisions stand until --reconsider; enrolling again
    changes nothing.
    """
    return enrol(context, review=partial(for_enrolment, context), **arguments)


command = enroll.command

if __name__ == "__main__":
    run_command(command)
