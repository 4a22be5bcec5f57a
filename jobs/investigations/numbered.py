"""The faces of a photo, numbered, so that one can be chosen."""

from pathlib import Path
from typing import Any

from jobs.faces import pictures
from jobs.run import outputs
from jobs.run.context import Context
from pages.numbered import numbered
from udfs.errors import InputError
from udfs.records import edges
from udfs.vision.decode import decode
from udfs.vision.thumbnails import SHOWN


def number_faces(context: Context, seen: dict[str, Any], output: Path) -> None:
    """Write a photo with its faces numbered as `--number` takes them. seen: what was found in it, as of `faces_in`.

    Raises:
        InputError: it shows no face, or cannot be read any more.
    """
    if seen["outcome"] != "faces":
        raise InputError(f"{seen['uri']}: there is no face to number: {seen['outcome'].removeprefix('rejected:')}")
    picture = decode(pictures.content_of(context, pictures.of_file(context, seen["uri"])), SHOWN)
    share = picture.image.width / picture.width
    faces = sorted(seen["faces"], key=lambda face: face["ordinal"])
    boxes = [[edge * share for edge in edges(face["box"])] for face in faces]
    outputs.write(context, output, numbered(picture.image.convert("RGB"), boxes))
    context.log.info(f"{context.job}: {len(faces):,} faces are numbered in {output.resolve().as_uri()}")
