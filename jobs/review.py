"""review: say of faces whether they show the person that they were found to be nearest to."""

import click

from jobs.decisions.reviews import Review, checked, from_file, record_reviews
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job
from schemas.catalog import REVIEW_DECISIONS
from udfs.errors import InputError


@job("review", short=True)
@click.option("--face", "face_id", metavar="ID", help="The face, as review_queue and sightings have it.")
@click.option("--person", "person_id", metavar="ID", help="The person that it was found to be nearest to.")
@click.option("--decision", type=click.Choice(REVIEW_DECISIONS), help="Whether the face shows that person.")
@click.option("--by", "reviewed_by", metavar="NAME", help="Who decides; of a file, for rows that do not say it.")
@click.option("--reason", default="", metavar="TEXT", help="Why, in the words of who decides.")
@click.option("--gallery-name", default="", metavar="NAME", help="The gallery, if the face was compared with several.")
@click.option("--decisions", "file", metavar="FILE", help="Many decisions: a CSV, Parquet or Delta table, instead.")
def review(
    context: Context,
    face_id: str | None,
    person_id: str | None,
    decision: str | None,
    reviewed_by: str | None,
    reason: str,
    gallery_name: str,
    file: str | None,
) -> dict[str, int]:
    """Confirm or reject that faces show the persons that they were found to be nearest to.

    \b
    rollcall review --tables ./tables --face 5f2c... --person obama --decision confirm --by ann
    rollcall review --tables ./tables --decisions decisions.csv --by ann

    A file has the columns face_id, person_id and decision, and may have gallery_name, reviewed_by and reason. Decisions
    are added to the table reviews and never changed: whoever thinks otherwise later says so, and both stand there. With
    review.signatures = 2 in the settings a person is confirmed when two people have said so. Runs of other jobs leave
    decisions alone; the views sightings, review_queue and reviewed follow them.
    """
    one = (face_id, person_id, decision)
    if (file is None) == (None in one) or (file is not None and any(one)):
        raise InputError("say what is decided: --face, --person and --decision, or --decisions FILE")
    if file is not None:
        reviews = from_file(
            context, file, reviewed_by=reviewed_by or "", gallery_name=gallery_name or "", reason=reason or ""
        )
    else:
        reviews = [
            checked(
                Review(
                    "review", face_id or "", person_id or "", decision or "", reviewed_by or "", gallery_name, reason
                )
            )
        ]
    counts = record_reviews(context, reviews, repeated=file is not None)
    told = ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()) if name in REVIEW_DECISIONS)
    context.log.info(f"review: {told or 'nothing new'}")
    if counts["repeated"]:
        context.log.info(f"review: {counts['repeated']:,} left out, as the same person has said so before")
    return counts


command = review.command

if __name__ == "__main__":
    run_command(command)
