"""The nearest persons of faces, by one of two plans that give the same rows."""

from typing import TYPE_CHECKING, Literal

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from jobs.run import peak_memory, task_resources
from udfs import matching
from udfs.arrow import local_frame, spark_schema

if TYPE_CHECKING:
    from udfs.search.packed import Packed

ExecutionPlan = Literal["gallery", "parts"]

FACES_A_TASK = 65_536
"""At most: 128 MiB of embeddings at 512 dimensions."""
FACES_WORTH_A_TASK = 1008
"""Fewer do not make use of a scan of the gallery."""
FACES_A_BLOCK = 4032
"""Faces that travel together to a part: 8 MB at 512 dimensions."""


def execution_plan_for(packed: "Packed", largest_whole: int) -> ExecutionPlan:
    """The whole gallery for each face, unless it is larger than so many bytes."""
    return "gallery" if packed.size <= largest_whole else "parts"


def nearest(
    faces: DataFrame, count: int, packed: "Packed", dimension: int, k: int, keep_floor: float, plan: ExecutionPlan
) -> DataFrame:
    """The k nearest persons of each face: (face_id, person_id, sample_id, similarity, rank).

    faces: face_id, embedding, left_out (samples a face is not compared with, or null). count: how many there are.

    `gallery`: a task compares its faces with all parts; nothing passes between executors but the faces.
    `parts`: a task compares some faces with one part, and the candidates are joined: what passes is the faces,
    once a part, and k candidates a face and part. Never pairs.
    """
    spark = faces.sparkSession
    if not packed.parts:
        return local_frame(spark, [], spark_schema(matching.CANDIDATE))
    tasks = spark.sparkContext.defaultParallelism
    threads, profile = task_resources.cpus(spark), task_resources.on_cpus(spark)
    faces = faces.select("face_id", "embedding", "left_out")
    if plan == "gallery":
        rounds = max(1, -(-count // (FACES_A_TASK * tasks)))
        spread = faces.repartition(max(1, min(tasks * rounds, count // FACES_WORTH_A_TASK)))
        search = peak_memory.told(spark, matching.search_all(packed, k, keep_floor, threads))
        return spread.mapInArrow(search, spark_schema(matching.CANDIDATE), profile=profile)
    blocks = faces.mapInArrow(matching.blocks(FACES_A_BLOCK), spark_schema(matching.BLOCK))
    parts = spark.range(len(packed.parts)).select(F.col("id").cast("int").alias("part"))
    search = peak_memory.told(spark, matching.search_parts(packed, dimension, k, keep_floor, threads))
    found = (
        blocks.crossJoin(F.broadcast(parts))
        .repartitionById(len(packed.parts), "part")
        .mapInArrow(search, spark_schema(matching.CANDIDATE), profile=profile)
    )
    return ranked(found, k)


def ranked(candidates: DataFrame, k: int) -> DataFrame:
    """The k nearest persons of each face by their nearest sample; ties by person, then by sample."""
    nearest_sample = Window.partitionBy("face_id", "person_id").orderBy(F.desc("similarity"), "sample_id")
    nearest_person = Window.partitionBy("face_id").orderBy(F.desc("similarity"), "person_id")
    return (
        candidates.select("face_id", "person_id", "sample_id", "similarity")
        .withColumn("_sample", F.row_number().over(nearest_sample))
        .where(F.col("_sample") == 1)
        .withColumn("rank", F.row_number().over(nearest_person))
        .where(F.col("rank") <= k)
        .select("face_id", "person_id", "sample_id", "similarity", "rank")
    )
