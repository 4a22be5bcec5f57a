"""The faces of images under a contract, computed by executors."""

from collections.abc import Iterator, Sequence
from functools import reduce

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.inputs import image_table
from jobs.run import peak_memory, task_resources
from jobs.run.context import Context
from udfs import embedding, records
from udfs.arrow import spark_schema
from udfs.vision.contract import Contract
from udfs.vision.spec import VisionSpec

_IMAGES_A_TASK = 32


def faces_of(
    context: Context, rows: pa.Table, spec: VisionSpec, agreed: Contract, settings: str, tasks: int | None = None
) -> DataFrame:
    """The outcome of each image (records.OUTCOME), computed in `tasks` tasks. What is computed for an
    image does not depend on them."""
    images = context.spark.createDataFrame(rows)
    tasks = tasks or min(-(-rows.num_rows // _IMAGES_A_TASK), 4 * context.spark.sparkContext.defaultParallelism)
    compute = peak_memory.told(context.spark, embedding.embed_images(spec, agreed.contract_id, settings))
    profile = task_resources.on_gpu(context.spark)
    tables = sorted(set(rows["content_table"].drop_null().to_pylist()))
    computed = [
        frame.mapInArrow(compute, spark_schema(records.OUTCOME), profile=profile)
        for frame in readable(context, images, tables, tasks)
    ]
    return reduce(DataFrame.unionByName, computed)


def readable(
    context: Context, images: DataFrame, tables: Sequence[str], tasks: int, *others: str
) -> Iterator[DataFrame]:
    """Images as workers read them, in `tasks` tasks each: first those that are files, then those of each of the tables
    that hold images, with their `content`.

    images: inventory.IMAGE, content_table, and other columns, which are kept.
    """
    columns = ["image_id", "uri", "size", "modified_us", "regular", *others]
    yield images.where(F.col("content_table").isNull()).select(*columns).repartition(tasks)
    for name in tables:
        carried = images.where(F.col("content_table") == name).select(*columns)
        # By the whole version: a row that was changed since it was listed is another image, and this one is gone.
        # First the few that are wanted, which are sent to the table: the bytes of the others are not sent anywhere.
        held = image_table.contents(context, name).join(carried, image_table.VERSION, "left_semi")
        yield carried.join(held, image_table.VERSION, "left").select(*columns, "content").repartition(tasks)


def crashed_outcome(image_id: str) -> dict[str, object]:
    """The outcome of an image that a worker died of."""
    return {
        "image_id": image_id,
        "outcome": "rejected:crashed",
        "detail": "the process that read it died: the file is damaged, or needs more memory than there is",
        "content_sha256": None,
        "width": 0,
        "height": 0,
        "exif_captured_at": None,
        "faces": [],
        "liveness": None,
    }
