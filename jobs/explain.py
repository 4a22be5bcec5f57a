"""explain: why a face was decided as it was."""

from pathlib import Path

import click

from jobs.investigations.explanation import explain_face
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job, page_output
from jobs.run.pages import written


@job("explain", short=True)
@click.option("--face", "face_id", required=True, metavar="ID", help="The face, as sightings has it.")
@click.option("--gallery-name", metavar="G", help="The gallery, if the face was compared with several.")
@page_output
@click.option("--no-maps", is_flag=True, help="Leave out what the network looks at, which takes most of the time.")
def explain(context: Context, *, face_id: str, gallery_name: str | None, output: Path, no_maps: bool) -> Path:
    """Write a page that takes the decision on a face apart.

    \b
    rollcall explain --tables ./tables --face 5f2c... --output ./why.html

    It shows the registered photo that decided and what there would be without it, all photos of the person, who else
    it might be, the stranger of the lake who is most like the person, and how good the pictures are. Then what the
    network looks at, put to a test against chance, and the way from pixels to similarity with this face's own numbers.
    """
    return written(context, explain_face(context, face_id, gallery_name, maps=not no_maps), output)


command = explain.command

if __name__ == "__main__":
    run_command(command)
