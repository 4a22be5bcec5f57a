"""identify: the faces of dates against the gallery as it stands."""

from typing import Any

import click

from jobs.investigations.identify import investigate_date
from jobs.matching.identification import identify_faces
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, Number, about_investigation, job
from udfs.errors import InputError


@job("identify")
@click.option("--run-date", type=RUN_DATE, help="The faces of this date.")
@click.option("--all-dates", is_flag=True, help="The faces of all dates, the newest first: after the gallery changed.")
@click.option("--gallery-name", metavar="G", help="The gallery to search; not needed when there is only one.")
@click.option(
    "-k",
    type=click.IntRange(min=1),
    help="Persons kept for each face.  [default: identify.k of the settings]",
)
@click.option(
    "--minimum-size",
    type=Number(min=0),
    metavar="PX",
    help="Smaller faces are not searched for.  [default: identify.minimum_size of the settings]",
)
@click.option("--label", "labels", multiple=True, help="Only samples with this label; may be repeated.")
@click.option(
    "--exclude-self",
    is_flag=True,
    help="Do not compare a face with samples that were enrolled from the very photo it is in.",
)
@click.option(
    "--threshold",
    "threshold_id",
    metavar="ID",
    help="Decide by this calibration, or by the `settings`.  [default: the newest calibration for the gallery's size]",
)
@click.option(
    "--plan",
    type=click.Choice(["gallery", "parts"]),
    help="Compare each face with the whole gallery in one task, or with its parts in several."
    "  [default: by the gallery's size and identify.largest_whole of the settings]",
)
@about_investigation
def identify(
    context: Context,
    *,
    investigation: str | None,
    purpose: str | None,
    asked_by: str | None,
    for_case: str | None,
    **arguments: Any,
) -> dict[str, int]:
    """Find the nearest registered persons of each face, and decide: match, review, unknown, or too_small.

    \b
    rollcall identify --tables ./tables --run-date 2026-01-31 -k 5
    rollcall identify --tables ./tables --run-date 2026-01-31 --label wanted
    rollcall identify --tables ./tables --all-dates
    rollcall identify --tables ./tables --run-date 2026-01-31 -k 50 --investigation 'gate 3' --purpose 'case 4711'

    The gallery is the one that stands now, less samples that are not valid on the run date. A person's
    similarity is that of their nearest sample. A later run compares what is new alone: new faces with the
    gallery, added samples with the faces; after a withdrawal, faces whose nearest persons it has changed.
    """
    if investigation is not None:
        return investigate_date(
            context,
            investigation=investigation,
            purpose=purpose,
            asked_by=asked_by,
            for_case=for_case,
            **arguments,
        )
    if purpose or asked_by or for_case:
        raise InputError("--purpose, --by and --for-case are noted with an investigation; name one: --investigation")
    return identify_faces(context, **arguments)


command = identify.command

if __name__ == "__main__":
    run_command(command)
