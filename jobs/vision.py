"""What embed and enroll share: the contract in force, and the faces of images under it."""

import json

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import memory, resources, source_table
from jobs.options import Context
from udfs import faces
from udfs.arrow import spark_schema
from udfs.vision import weights
from udfs.vision.contract import Contract, contract
from udfs.vision.spec import VisionSpec

_IMAGES_A_TASK = 32


def verified_contract(spec: VisionSpec) -> Contract:
    """The contract, once the weights it stands for have been found and are the right ones.

    Raises:
        InputError: unknown models, weights missing or wrong.
    """
    agreed = contract(spec)
    for model in (spec.detector, spec.embedder):
        weights.load(model, dict(spec.weights).get(model))
    return agreed


def note_contract(context: Context, agreed: Contract) -> None:
    """Write down what a contract id stands for."""
    row = (
        agreed.contract_id,
        agreed.detector,
        agreed.embedder,
        agreed.dimension,
        json.dumps(agreed.document),
    )
    names = ["contract_id", "detector", "embedder", "dimension", "document"]
    known = context.tables.read_or_empty("contracts").where(F.col("contract_id") == agreed.contract_id)
    if known.isEmpty():
        context.tables.append_new("contracts", context.spark.createDataFrame([row], names))


def faces_of(
    context: Context, rows: pa.Table, spec: VisionSpec, agreed: Contract, settings: str, tasks: int | None = None
) -> DataFrame:
    """The outcome of each image (faces.OUTCOME), computed in `tasks` tasks. What is computed for an
    image does not depend on them."""
    images = context.spark.createDataFrame(rows)
    tasks = tasks or min(-(-rows.num_rows // _IMAGES_A_TASK), 4 * context.spark.sparkContext.defaultParallelism)
    compute = memory.told(context.spark, faces.embed_images(spec, agreed.contract_id, settings))
    profile = resources.on_gpu(context.spark)
    columns = ["image_id", "uri", "size", "modified_us", "regular"]
    stored = images.where(F.col("content_table").isNull()).select(*columns)
    computed = stored.repartition(tasks).mapInArrow(compute, spark_schema(faces.OUTCOME), profile=profile)
    for row in images.select("content_table").where("content_table IS NOT NULL").distinct().collect():
        contents = source_table.contents(context, row.content_table)
        carried = images.where(F.col("content_table") == row.content_table).select(*columns)
        # By the whole version: a row that was changed since it was listed is another image, and this one is gone.
        carried = carried.join(contents, source_table.VERSION, "left").select(*columns, "content").repartition(tasks)
        computed = computed.unionByName(carried.mapInArrow(compute, spark_schema(faces.OUTCOME), profile=profile))
    return computed


def crashed_outcome(image_id: str) -> dict[str, object]:
    """The outcome of an image that a worker died of."""
    return {
        "image_id": image_id,
        "outcome": "rejected:crashed",
        "detail": "the process that read it died: a damaged file, or more memory than there is",
        "content_sha256": None,
        "width": 0,
        "height": 0,
        "exif_captured_at": None,
        "faces": [],
    }
