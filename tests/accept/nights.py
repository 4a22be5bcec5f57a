"""Jobs of a night on a cluster, and the tables they are held against."""

from jobs.run.context import Context
from tests.spark_submit import NONE, Conf
from tests.standalone import Standalone
from tests.support import EMBEDDER, rows_of

SETTINGS = ("--set", f"vision.embedder={EMBEDDER}")
FOUND = ("images", "image_outcomes", "faces")
MATCHED = ("matches", "identifications")
_PLACES = ("image_id", "face_id", "sample_id", "uri", "captured_at", "captured_at_source")
_PLACES += ("search_id", "gallery_digest", "threshold_id")
"""What depends on where images and samples are, or when they were written there."""


def job(context: Context, *more: str) -> tuple[str, ...]:
    """Arguments of a job on these tables."""
    return (*more, "--tables", str(context.tables.root), *SETTINGS)


def seen(context: Context, table: str) -> list[str]:
    """The rows of a table by the names of images, which are the same in another place."""
    names = context.tables.read("images").selectExpr("image_id", "substring_index(uri, '/', -1) AS name")
    rows, by = context.tables.read(table), "image_id"
    if by not in rows.columns:
        by = "face_id"
        names = context.tables.read("faces").join(names, "image_id").select("face_id", "ordinal", "name")
    return rows_of(rows.join(names, by), *_PLACES)


def night(cluster: Standalone, context: Context, source: str, day: str, conf: Conf = NONE) -> None:
    cluster.run("ingest", *job(context, "--source", source, "--run-date", day), conf=conf)
    cluster.run("embed", *job(context, "--run-date", day), conf=conf)
    cluster.run("identify", *job(context, "--run-date", day), conf=conf)
