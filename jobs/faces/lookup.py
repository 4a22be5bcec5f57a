"""The faces of images that are named by URI, all of them or the one that is meant: from the tables, else computed."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.faces.compute import crashed_outcome, faces_of
from jobs.faces.crashes import by_halves
from jobs.faces.known import known_outcomes
from jobs.run.context import Context
from udfs import inventory, records
from udfs.arrow import local_frame, spark_schema
from udfs.ids import image_id
from udfs.lake import File
from udfs.records import Meant
from udfs.vision.contract import Contract, settings_id
from udfs.vision.speed import settled

Array = np.ndarray

MEANT: tuple[str, ...] = get_args(Meant)
"""As options name them."""

_IMAGE = pa.schema([*inventory.IMAGE, ("content_table", pa.string())])


def locate(context: Context, uris: Collection[str]) -> dict[str, File]:
    """Each file as it is now; executors look. One that is not there has size 0."""
    if not uris:
        return {}
    tasks = min(len(uris), context.spark.sparkContext.defaultParallelism)
    frame = context.spark.createDataFrame([(uri,) for uri in sorted(uris)], "uri string").repartition(tasks)
    rows = frame.mapInArrow(inventory.stat_photos, spark_schema(inventory.FILE)).collect()
    return {row.uri: File(**row.asDict()) for row in rows}


def images_of(located: dict[str, File]) -> pa.Table:
    """What `faces_of` takes: one row an image."""
    rows = [
        {"image_id": image_id(file.uri, file.size, file.modified_us), "content_table": None, **vars(file)}
        for file in located.values()
    ]
    return pa.Table.from_pylist(rows, schema=_IMAGE)


def meant_faces(context: Context, uris: Collection[str], agreed: Contract, meant: Meant) -> pa.Table:
    """The face that is meant in each image, one row a URI.

    Columns: uri, image_id, outcome (`faces`, `no_face`, `several_faces` or `rejected:<reason>`), detail, and where the
    outcome is `faces`: box, quality, embedding.

    Images that the tables have an outcome of, under the same models and limits, are not opened again.
    """
    return _looked_up(context, uris, agreed, lambda outcomes: _with_meant_face(outcomes, meant))


def faces_in(context: Context, uris: Collection[str], agreed: Contract) -> pa.Table:
    """All faces of each image, one row a URI.

    Columns: uri, image_id, outcome (`faces`, `no_face` or `rejected:<reason>`), detail, width, height, faces
    (records.FACE).

    Images that the tables have an outcome of, under the same models and limits, are not opened again.
    """
    names = ("image_id", "outcome", "detail", "width", "height", "faces")
    return _looked_up(context, uris, agreed, lambda outcomes: outcomes.select(*names))


def _looked_up(
    context: Context, uris: Collection[str], agreed: Contract, shaped: Callable[[DataFrame], DataFrame]
) -> pa.Table:
    """The outcome of each image in a shape, with its URI before all other columns."""
    images = images_of(locate(context, uris))
    asked = context.spark.createDataFrame(images.select(["image_id"]))
    known = shaped(known_outcomes(context, asked, agreed)).toArrow()
    rest = images.filter(pc.invert(pc.is_in(images["image_id"], known["image_id"].combine_chunks())))
    found = [known]
    if rest.num_rows:
        context.log.info(f"{context.job}: {known.num_rows:,} images are in the tables; {rest.num_rows:,} are opened")
        found += by_halves(
            rest,
            lambda part: _computed(context, part, agreed, shaped),
            lambda image: _crashed(context, image, shaped),
        )
    seen = pa.concat_tables([part.cast(known.schema) for part in found])
    of_image = pc.index_in(images["image_id"], value_set=seen["image_id"].combine_chunks())
    return seen.take(of_image).add_column(0, "uri", images["uri"]).sort_by("uri")


@dataclass(frozen=True)
class MeantFaces:
    """The faces that are meant in images, by URI."""

    table: pa.Table
    vectors: Array
    """float32 (images, d); zeros where there is no face."""

    @classmethod
    def of(cls, context: Context, uris: Sequence[str], agreed: Contract, meant: Meant) -> "MeantFaces":
        """Look at images, or read what the tables say of them."""
        table = meant_faces(context, sorted(set(uris)), agreed, meant)
        there = np.array([outcome == "faces" for outcome in table["outcome"].to_pylist()], bool)
        vectors = np.zeros((table.num_rows, agreed.dimension), np.float32)
        column = table["embedding"].combine_chunks().drop_null()
        vectors[there] = column.flatten().to_numpy().reshape(-1, agreed.dimension)
        return cls(table, vectors)

    @property
    def there(self) -> Array:
        """bool (images,), whether there is a face."""
        return np.asarray(self.vectors.any(axis=1))

    def places(self, uris: Sequence[str]) -> Array:
        """The rows of some URIs."""
        place = {uri: at for at, uri in enumerate(self.table["uri"].to_pylist())}
        return np.array([place[uri] for uri in uris], np.intp)

    def quality(self, name: str) -> Array:
        """float64 (images,); NaN where there is no face."""
        return np.array([np.nan if q is None else q[name] for q in self.table["quality"].to_pylist()], np.float64)

    def outcomes(self, places: Array) -> dict[str, int]:
        """How many images have each outcome."""
        names, counts = np.unique(np.array(self.table["outcome"].to_pylist())[places], return_counts=True)
        return dict(zip(names.tolist(), counts.tolist(), strict=True))


def _computed(
    context: Context, images: pa.Table, agreed: Contract, shaped: Callable[[DataFrame], DataFrame]
) -> pa.Table:
    spec = settled(context.settings.spec())
    return shaped(faces_of(context, images, spec, agreed, settings_id(spec))).toArrow()


def _crashed(context: Context, image: pa.Table, shaped: Callable[[DataFrame], DataFrame]) -> pa.Table:
    row = crashed_outcome(image["image_id"][0].as_py())
    return shaped(local_frame(context.spark, [row], spark_schema(records.OUTCOME))).toArrow()


def _with_meant_face(outcomes: DataFrame, meant: Meant) -> DataFrame:
    """One row an image, with the face that is meant."""
    ranked = F.transform(
        "faces",
        lambda face: F.struct(_preference(face, meant).alias("by"), (-face["ordinal"]).alias("at"), face.alias("face")),
    )
    several = (F.size("faces") > 1) & F.lit(meant == "only")
    face = F.when(several, None).otherwise(F.array_max(ranked)["face"])
    return outcomes.withColumn("face", face).select(
        "image_id",
        F.when(several, "several_faces").otherwise(F.col("outcome")).alias("outcome"),
        F.when(several, F.concat(F.size("faces").cast("string"), F.lit(" faces")))
        .otherwise(F.col("detail"))
        .alias("detail"),
        "face.box",
        "face.quality",
        "face.embedding",
    )


def _preference(face: Column, meant: Meant) -> Column:
    if meant != "middle":
        return face["quality"]["size"]
    box = face["box"]
    return -(F.abs(box["left"] + box["right"] - F.col("width")) + F.abs(box["top"] + box["bottom"] - F.col("height")))
