"""Small pictures of faces, cut from their images by executors when they are asked for; nothing keeps them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.faces.compute import readable
from jobs.faces.lookup import images_of, locate
from jobs.run.context import Context
from schemas.literals import on_dates
from udfs import pictures, records
from udfs.arrow import spark_schema
from udfs.errors import InputError

_IMAGES_A_TASK = 64


@dataclass(frozen=True)
class Pictures:
    """jpeg: the picture of each face, by the face's key. why: of each face without one, the reason."""

    jpeg: dict[str, bytes]
    why: dict[str, str]

    def __or__(self, other: "Pictures") -> "Pictures":
        return Pictures(self.jpeg | other.jpeg, self.why | other.why)


NONE = Pictures({}, {})


class FaceInLake(NamedTuple):
    """A face of the tables, and where it is in its image."""

    face_id: str
    image_id: str
    run_date: date
    box: dict[str, float]


_FACE = pa.schema(
    [("face_id", pa.string()), ("image_id", pa.string()), ("run_date", pa.date32()), ("box", records.BOX)]
)


def of_lake(context: Context, faces: Iterable[FaceInLake]) -> Pictures:
    """Pictures of faces of the tables, by face_id."""
    unique = {face.face_id: face._asdict() for face in faces}
    if not unique:
        return NONE
    asked = context.spark.createDataFrame(pa.Table.from_pylist(list(unique.values()), schema=_FACE))
    days = on_dates({face["run_date"] for face in unique.values()})
    images = context.tables.read("images").where(days)
    cuts = asked.groupBy("image_id").agg(F.collect_list(F.struct(F.col("face_id").alias("key"), "box")).alias("wanted"))
    found = _cut(context, images.join(F.broadcast(cuts), "image_id"))
    gone = unique.keys() - found.jpeg.keys() - found.why.keys()
    return found | Pictures({}, dict.fromkeys(gone, "its image is not in the tables any more"))


def of_photos(context: Context, wanted: Mapping[str, tuple[str, dict[str, float] | None]]) -> Pictures:
    """Pictures of faces in photos. wanted: by key, the photo's URI and the face's box; None: the photo's middle."""
    if not wanted:
        return NONE
    located = locate(context, {uri for uri, _ in wanted.values()})
    images = context.spark.createDataFrame(images_of(located))
    rows = [{"uri": uri, "each": {"key": key, "box": box}} for key, (uri, box) in wanted.items()]
    schema = pa.schema([("uri", pa.string()), ("each", pictures.WANTED.value_type)])
    cuts = context.spark.createDataFrame(pa.Table.from_pylist(rows, schema=schema))
    return _cut(context, images.join(cuts.groupBy("uri").agg(F.collect_list("each").alias("wanted")), "uri"))


def content_of(context: Context, image: DataFrame) -> bytes:
    """The bytes of one image, a row of `images`.

    Raises:
        InputError: they cannot be had any more.
    """
    rows = image.select("image_id", "uri", "size", "modified_us", "regular", "content_table").localCheckpoint()
    tables = [row.content_table for row in rows.collect() if row.content_table]
    read = pictures.contents(context.settings.vision.maximum_bytes)
    for frame in readable(context, rows, tables, 1):
        for row in frame.mapInArrow(read, spark_schema(pictures.CONTENT)).collect():
            if row.content is None:
                raise InputError(f"the image cannot be read any more: {row.why}")
            return bytes(row.content)
    raise InputError("the table images does not have this image any more")


def of_file(context: Context, uri: str) -> DataFrame:
    """A file as a row of `images`, for `content_of`."""
    return context.spark.createDataFrame(images_of(locate(context, {uri})))


def _cut(context: Context, images: DataFrame) -> Pictures:
    columns = ["image_id", "uri", "size", "modified_us", "regular", "content_table", "wanted"]
    images = images.select(*columns).localCheckpoint()
    count = images.count()
    if not count:
        return NONE
    tables = [row.content_table for row in images.select("content_table").distinct().collect() if row.content_table]
    tasks = min(-(-count // _IMAGES_A_TASK), 4 * context.spark.sparkContext.defaultParallelism)
    cut = pictures.cut(context.settings.vision.maximum_bytes)
    found = NONE
    for frame in readable(context, images, tables, tasks, "wanted"):
        rows = frame.mapInArrow(cut, spark_schema(pictures.PICTURE)).toArrow().to_pylist()
        jpeg = {row["key"]: row["jpeg"] for row in rows if row["jpeg"] is not None}
        found |= Pictures(jpeg, {row["key"]: row["why"] for row in rows if row["jpeg"] is None})
    return found
