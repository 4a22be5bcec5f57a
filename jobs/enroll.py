"""enroll: register persons from their photos."""

from functools import partial
from typing import Any

import click

from jobs.decisions.thresholds import for_enrolment
from jobs.matching.resemblance import resemblances
from jobs.registry.enrolment import enrol
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from udfs.enrolment import SEVERAL_FACES


@job("enroll")
@click.option(
    "--gallery",
    metavar="URI",
    required=True,
    help="A folder PERSON/photo.jpg, or a CSV, Parquet or Delta manifest.",
)
@click.option("--gallery-name", metavar="G", required=True, help="The gallery the persons belong to.")
@click.option(
    "--allow-other-columns",
    is_flag=True,
    help="Columns of the manifest whose names are not known are not an error: they are left out.",
)
@click.option(
    "--several-faces",
    type=click.Choice(SEVERAL_FACES),
    default="dominant",
    show_default=True,
    help="Of a photo of several faces, take the one that is clearly the largest and nearest the middle, or else refuse"
    " the photo; take the largest; or refuse it.",
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
@click.option(
    "--commit-every",
    type=click.IntRange(min=1),
    default=5000,
    show_default=True,
    help="Photos in a slice, which is written as a whole: a killed run loses at most one slice.",
)
def enroll(context: Context, **arguments: Any) -> dict[str, int]:
    """Register persons from their photos.

    \b
    rollcall enroll --tables ./tables --gallery ./people --gallery-name staff
    rollcall enroll --tables ./tables --gallery s3://lake/people.csv --gallery-name staff --sync

    One face a photo is wanted; smaller faces in the background do no harm. A photo is accepted, refused with
    the reason, or set aside for review when it resembles another person more than its own. Decisions stand
    until --reconsider; enrolling again changes nothing. Photos that `embed` knows under the same models and
    limits are not opened again. A run that was killed goes on where it stopped.
    """
    return enrol(context, review=partial(for_enrolment, context), search=resemblances, **arguments)


command = enroll.command

if __name__ == "__main__":
    run_command(command)
