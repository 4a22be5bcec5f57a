"""The faces of a cluster that a person can be registered by."""

from pyspark.sql import functions as F

from jobs.inputs import person_ids
from jobs.inputs.manifest import People, Photo
from jobs.run.context import Context
from schemas.names import Names
from udfs.errors import InputError

PHOTOS = 5
"""That are enrolled of a cluster."""
_LARGE = 112
"""Pixels that embedders see of a face: a larger one is not better."""


def people_of_cluster(context: Context, grouping: str, cluster_id: str, person_id: str, name: str | None) -> People:
    """The best images of a cluster as the photos of a person: those that show one face alone, which no one can mistake;
    large ones first, and of large ones the sharpest.

    Raises:
        InputError: there is no such cluster, it has no such image, or the id cannot be one.
    """
    rows = Names(context.spark, context.tables).rows("cluster_faces")
    of_cluster = rows.where((F.col("grouping") == grouping) & (F.col("cluster_id") == cluster_id))
    if of_cluster.isEmpty():
        raise InputError(f"there is no cluster {cluster_id!r} in grouping {grouping!r}; the table clusters has them")
    files = context.tables.read("images").where("content_table IS NULL").select("image_id", "run_date")
    alone = of_cluster.where("faces_in_image = 1").join(files, ["image_id", "run_date"], "left_semi")
    size = F.least(F.col("quality.size"), F.lit(float(_LARGE)))
    best = alone.orderBy(F.desc(size), F.desc("quality.sharpness"), "face_id").limit(PHOTOS).collect()
    if not best:
        raise InputError(
            f"no image of cluster {cluster_id} is a file that shows one face alone; crop the person from one of them,"
            " and enrol that photo"
        )
    person = person_ids.normal("--person", person_id)
    return People(sorted((Photo(person, row.uri, name) for row in best), key=lambda photo: photo.uri), [], 0)
