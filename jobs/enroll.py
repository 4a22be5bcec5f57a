"""enroll: register persons from their photos."""

from functools import partial
from typing import Any

import click

from jobs.decisions.thresholds import for_enrolment
from jobs.inputs import manifest
from jobs.matching.resemblance import resemblances
from jobs.people.best_faces import people_of_cluster
from jobs.registry.enrolment import enrol
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from schemas.catalog import UNKNOWN_FACES
from udfs.enrolment import SEVERAL_FACES
from udfs.errors import InputError


@job("enroll")
@click.option(
    "--gallery",
    metavar="URI",
    help="A folder PERSON/photo.jpg, or a CSV, Parquet or Delta manifest.",
)
@click.option("--from-cluster", metavar="CLUSTER", help="The best faces of a cluster, instead; with --person.")
@click.option("--person", metavar="ID", help="Of --from-cluster: the id that the person is to have.")
@click.option("--person-name", metavar="NAME", help="Of --from-cluster: the person's name, for people to read.")
@click.option("--grouping", default=UNKNOWN_FACES, show_default=True, help="Of --from-cluster: the grouping it is in.")
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
@click.option(
    "--allow-erased",
    "allowed",
    multiple=True,
    metavar="ID",
    help="A person who was erased (rollcall erase) and is to be enrolled again; may be repeated.",
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
def enroll(
    context: Context,
    *,
    gallery: str | None,
    from_cluster: str | None,
    person: str | None,
    person_name: str | None,
    grouping: str,
    allow_other_columns: bool,
    **arguments: Any,
) -> dict[str, int]:
    """Register persons from their photos.

    \b
    rollcall enroll --tables ./tables --gallery ./people --gallery-name staff
    rollcall enroll --tables ./tables --gallery s3://lake/people.csv --gallery-name staff --sync
    rollcall enroll --tables ./tables --from-cluster 5f2c... --person doe --gallery-name staff

    One face a photo is wanted; smaller faces in the background do no harm. A photo is accepted, refused with
    the reason, or set aside for review when it resembles another person more than its own. Decisions stand
    until --reconsider; enrolling again changes nothing. Photos that `embed` knows under the same models and
    limits are not opened again. A run that was killed goes on where it stopped. Of a cluster those images are enrolled
    that show one face alone, the best five: look at them first (`rollcall report --cluster`). Persons who were erased
    are left out, until it is decided anew that they are registered: --allow-erased.
    """
    if gallery is not None and from_cluster is not None:
        raise InputError("--gallery and --from-cluster both say whom to enrol; give one of them")
    if gallery is None and from_cluster is None:
        raise InputError("say whom to enrol: --gallery URI, or --from-cluster CLUSTER with --person ID")
    if gallery is not None:
        if person or person_name:
            raise InputError("--person and --person-name are for --from-cluster; a manifest names its persons itself")
        people = partial(manifest.people, context, gallery, allow_other_columns)
    else:
        assert from_cluster is not None
        if not person:
            raise InputError("say who the person of --from-cluster is: --person ID")
        if arguments["sync"]:
            raise InputError("--sync takes the whole list of persons, and not --from-cluster, which is one of them")
        people = partial(people_of_cluster, context, grouping, from_cluster, person, person_name)
    return enrol(
        context,
        people=people,
        gallery=gallery or f"cluster {from_cluster}",
        review=partial(for_enrolment, context),
        search=resemblances,
        **arguments,
    )


command = enroll.command

if __name__ == "__main__":
    run_command(command)
