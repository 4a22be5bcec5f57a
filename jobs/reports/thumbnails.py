"""Faces as they are shown on pages: cut from their images when the page is made."""

from jobs.faces.lookup import MeantFaces
from pages.report import Side, picture
from udfs import lake
from udfs.errors import InputError
from udfs.records import edges
from udfs.vision.decode import Limits, decode
from udfs.vision.rejection import RejectedError

_SHOWN = Limits(minimum_side=1, maximum_side=2048, maximum_pixels=100_000_000, memory=800_000_000)


def thumbnail(faces: MeantFaces, place: int, who: str) -> Side:
    """A face as it is cut from its image, or why there is none."""
    row = faces.table.slice(place, 1).to_pylist()[0]
    if row["outcome"] != "faces":
        return Side(who, why=row["outcome"])
    try:
        read = decode(lake.read_anything(row["uri"]), _SHOWN)
    except (InputError, RejectedError) as error:  # it was read before: it has changed or gone since
        return Side(who, why=f"can no longer be read: {error}")
    share = read.image.width / read.width
    return Side(who, picture(read.image, [edge * share for edge in edges(row["box"])]))
