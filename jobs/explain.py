"""explain: why a face was decided as it was."""

from pathlib import Path

import click

from jobs.investigations.explanation import explain_face, explain_finding
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job, page_output
from jobs.run.outputs import written
from udfs.errors import InputError


@job("explain", short=True)
@click.option(
    "--face", "face_id", required=True, metavar="ID", help="The face, as sightings or investigation_findings has it."
)
@click.option("--gallery-name", metavar="G", help="The gallery, if there are several.")
@click.option(
    "--investigation", metavar="NAME", help="Explain what this investigation has found, and not what a night decided."
)
@click.option("--asked", metavar="NAME", help="Of several questions that the face was found for: which one.")
@page_output
@click.option("--no-maps", is_flag=True, help="Leave out what the network looks at, which takes most of the time.")
def explain(
    context: Context,
    *,
    face_id: str,
    gallery_name: str | None,
    investigation: str | None,
    asked: str | None,
    output: Path,
    no_maps: bool,
) -> Path:
    """Write a page that takes the decision on a face apart, or a finding of an investigation.

    \b
    rollcall explain --tables ./tables --face 5f2c... --output ./why.html
    rollcall explain --tables ./tables --investigation 'gate 3' --face 5f2c... --output ./why.html

    It shows the registered photo that decided and what there would be without it, all photos of the person, who else
    it might be, the stranger of the lake who is most like the person, and how good the pictures are. Then what the
    network looks at, put to a test against chance, and the way from pixels to similarity with this face's own numbers.

    Of a finding it shows what was asked with, and how many strangers are to be expected at this similarity. Findings
    keep no thresholds: those in force are shown. Of several questions that the face was found for, it is the one that
    it is most like, or that of --asked.
    """
    if asked is not None and investigation is None:
        raise InputError("--asked is for --investigation NAME")
    if investigation is None:
        page = explain_face(context, face_id, gallery_name, maps=not no_maps)
    else:
        page = explain_finding(context, investigation, face_id, asked, gallery_name, maps=not no_maps)
    return written(context, page, output)


command = explain.command

if __name__ == "__main__":
    run_command(command)
