"""The images of a camera or a case."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from udfs.errors import InputError


def images_of(context: Context, source: str | None, case_id: str | None) -> DataFrame | None:
    """image_id and run_date of the images that are meant; None: all.

    Raises:
        InputError: no image is of that source or case.
    """
    wanted = {name: value for name, value in (("source", source), ("case_id", case_id)) if value is not None}
    if not wanted:
        return None
    images = context.tables.read("images")
    for name, value in wanted.items():
        images = images.where(F.col(name) == value)
        if images.limit(1).isEmpty():
            raise InputError(f"no image has the {name} {value!r}; the table images has what there is")
    return images.select("image_id", "run_date")
