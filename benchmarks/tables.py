"""Rows of tables, many at once: what a benchmark does not name is something harmless."""

import re

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from schemas.catalog import CONTRACTS, TABLES
from udfs.arrow import RecordBatches, local_frame

Array = np.ndarray

CONTRACT = "c"


def filled(rows: DataFrame, table: str, known: dict[str, Column]) -> DataFrame:
    """Rows of a table, of which some columns are known."""
    columns = []
    for column in TABLES[table].columns:
        value = known.get(column.name)
        if value is None and column.name == "quality":
            names = re.findall(r"(\w+):", column.type)
            value = F.struct(*[F.lit(100.0).alias(name) for name in names])
        elif value is None and column.name == "box":
            value = F.struct(
                *[F.lit(float(at)).alias(name) for at, name in enumerate(("left", "top", "right", "bottom"))]
            )
        columns.append((F.lit(None) if value is None else value).cast(column.type).alias(column.name))
    return rows.select(*columns)


def put_contract(context: Context, dimension: int) -> None:
    """The contract of the faces and samples."""
    row = (CONTRACT, "d", "facenet-vggface2", dimension, "{}")
    context.tables.append("contracts", local_frame(context.spark, [row], CONTRACTS.schema))


def drawn(numbers: DataFrame, persons: int, dimension: int, seed: int) -> DataFrame:
    """(id) -> (id, embedding): of person id % persons, whose direction all embeddings of that person share.

    As of real faces, any two have something in common, so that every face has a full list of persons.
    """

    def draw(batches: RecordBatches) -> RecordBatches:
        generator = np.random.default_rng(0)
        common = generator.standard_normal(dimension, np.float32)
        centres = generator.standard_normal((persons, dimension), np.float32)
        for batch in batches:
            ids = batch.column("id").to_numpy()
            noise = np.random.default_rng([seed, int(ids[0]) if len(ids) else 0])
            made = 1.2 * (0.8 * common + centres[ids % persons]) + noise.standard_normal(
                (len(ids), dimension), np.float32
            )
            made /= np.linalg.norm(made, axis=1, keepdims=True)
            offsets = np.arange(len(ids) + 1, dtype=np.int32) * dimension
            column = pa.ListArray.from_arrays(pa.array(offsets), pa.array(made.astype(np.float32).ravel()))
            yield pa.RecordBatch.from_arrays([batch.column("id"), column], ["id", "embedding"])

    return numbers.mapInArrow(draw, "id long, embedding array<float>")


def put_samples(context: Context, persons: int, samples: int, dimension: int, first: int = 0) -> None:
    """Samples `first` to `samples` of the gallery `g`."""
    known = {
        "sample_id": _name("sample"),
        "gallery_name": F.lit("g"),
        "person_id": F.concat(F.lit("p"), F.lpad((F.col("id") % persons).cast("string"), 7, "0")),
        "labels": F.array().cast("array<string>"),
        "uri": F.lit("u"),
        "contract_id": F.lit(CONTRACT),
        "embedding": F.col("embedding"),
        "embedding_digest": F.xxhash64("embedding"),
        "enrolled_at": F.current_timestamp(),
        "run_id": F.lit("r"),
    }
    rows = drawn(context.spark.range(first, samples, numPartitions=2), persons, dimension, 1)
    context.tables.append("gallery", filled(rows, "gallery", known))


def put_faces(context: Context, first: int, last: int, run_date: Column, persons: int, dimension: int) -> None:
    """Faces `first` to `last`, each in an image of its own. run_date: of `id`, which grows with it."""
    parts = max(2, (last - first) // 200_000)
    rows = drawn(context.spark.range(first, last, numPartitions=parts), persons, dimension, 2)
    append_faces(context, rows, face_id=_name("face"), image_id=_name("image"), run_date=run_date)


def append_faces(context: Context, rows: DataFrame, **known: Column) -> None:
    """Faces whose rows have an embedding. known: their face_id, image_id and run_date."""
    same = {
        "contract_id": F.lit(CONTRACT),
        "settings_id": F.lit("s"),
        "ordinal": F.lit(0),
        "score": F.lit(1.0),
        "embedding": F.col("embedding"),
        "run_id": F.lit("r"),
        "landmarks": F.array_repeat(F.struct(F.lit(0.0).alias("x"), F.lit(0.0).alias("y")), 5),
    }
    context.tables.append("faces", filled(rows, "faces", {**same, **known}))


def put_images(context: Context, count: int, run_date: Column) -> None:
    """Images that are pending. run_date: of `id`, which grows with it."""
    known = {
        "image_id": _name("image"),
        "uri": F.format_string(
            "s3://lake/cctv/2026-01-31/entrance-%02d/frame-%09d-of-a-camera.jpg", F.col("id") % 40, F.col("id")
        ),
        "size": F.lit(250_000),
        "modified_us": F.col("id"),
        "regular": F.lit(True),
        "run_date": run_date,
        "source": F.lit("entrance"),
        "run_id": F.lit("r"),
    }
    numbers = context.spark.range(count, numPartitions=8)
    context.tables.append("images", filled(numbers, "images", known))


def _name(kind: str) -> Column:
    """An id as they are: as many hexadecimal digits, and in no order."""
    return F.substring(F.sha2(F.concat_ws("-", F.lit(kind), F.col("id").cast("string")), 256), 1, 32)
