"""What the table `clusters` says of a cluster's members."""

from pyspark.sql import Column
from pyspark.sql import functions as F


def cluster_counts() -> dict[str, Column]:
    """The columns of `clusters` that are counted, as aggregates of rows of `cluster_members`."""
    return {
        "faces": F.count("*"),
        "images": F.count_distinct("image_id"),
        "days": F.count_distinct("run_date"),
        "first_run_date": F.min("run_date"),
        "last_run_date": F.max("run_date"),
        "first_face_id": F.min("face_id"),
    }
