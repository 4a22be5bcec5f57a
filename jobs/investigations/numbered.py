"""The faces of a photo, numbered, so that one can be chosen."""

from pathlib import Path

from jobs.faces import pictures
from jobs.faces.contracts import verified_contract
from jobs.faces.lookup import faces_in
from jobs.run.context import Context
from pages.numbered import numbered
from udfs import lake
from udfs.errors import InputError
from udfs.vision.decode import decode
from udfs.vision.thumbnails import SHOWN


def number_faces(context: Context, photo: str, output: Path) -> None:
    """Write a photo with its faces numbered as `--number` takes them.

    Raises:
        InputError: it shows no face, or cannot be read.
    """
    uri = lake.uri_of(photo)
    (seen,) = faces_in(context, [uri], verified_contract(context.settings.spec())).to_pylist()
    if seen["outcome"] != "faces":
        raise InputError(f"{photo}: there is no face to number: {seen['outcome'].removeprefix('rejected:')}")
    picture = decode(pictures.content_of(context, pictures.of_file(context, uri)), SHOWN)
    share = picture.image.width / picture.width
    faces = sorted(seen["faces"], key=lambda face: face["ordinal"])
    boxes = [[face["box"][side] * share for side in ("left", "top", "right", "bottom")] for face in faces]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(numbered(picture.image.convert("RGB"), boxes))
    context.log.info(f"{context.job}: {len(faces):,} faces are numbered in {output.resolve().as_uri()}")
