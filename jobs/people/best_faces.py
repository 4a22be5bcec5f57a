"""The faces of a cluster that a person can be registered by."""

from pyspark.sql import functions as F

from jobs.inputs import person_ids
from jobs.inputs.manifest import People, Photo
from jobs.run.context import Context
from schemas.names import Names
from udfs import lake
from udfs.errors import InputError
from udfs.ids import image_id

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
    files = context.tables.read("images").where("content_table IS NULL")
    # Of a file that has changed the newest version: what is enrolled is the file as it is.
    files = files.groupBy("uri").agg(F.max_by("image_id", F.struct("modified_us", "image_id")).alias("image_id"))
    alone = of_cluster.where("faces_in_image = 1").join(files.select("image_id"), "image_id", "left_semi")
    size = F.least(F.col("quality.size"), F.lit(float(_LARGE)))
    ordered = alone.orderBy(F.desc(size), F.desc("quality.sharpness"), "face_id").limit(4 * PHOTOS).collect()
    best = [row for row in ordered if _is_still(row.uri, row.image_id)][:PHOTOS]
    if not best:
        raise InputError(
            f"no image of cluster {cluster_id} is a file that shows one face alone, and has not changed since it was"
            " embedded; crop the person from one of them, and enrol that photo"
        )
    person = person_ids.normal("--person", person_id)
    return People(sorted((Photo(person, row.uri, name) for row in best), key=lambda photo: photo.uri), [], 0)


def _is_still(uri: str, version: str) -> bool:
    """Whether a file is the version that was embedded."""
    try:
        file = lake.find(uri)
    except InputError:
        return False
    return image_id(file.uri, file.size, file.modified_us) == version
