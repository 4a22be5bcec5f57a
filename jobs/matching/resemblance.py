"""Who is near the samples that an enrolment adds, where they are too many for one process: by packed galleries."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.matching import packing
from jobs.matching.nearest import execution_plan_for, nearest
from jobs.registry.verdicts import Resemblances, numbered
from jobs.run import peak_memory, task_resources
from jobs.run.context import Context
from schemas.catalog import SEEN_PHOTOS
from udfs import artifacts, judging
from udfs.arrow import spark_schema

if TYPE_CHECKING:
    from udfs.search.packed import Packed

Array = np.ndarray


def resemblances(
    context: Context, known: DataFrame, asked: DataFrame, persons: Sequence[str], dimension: int, review: float
) -> Resemblances:
    """Who is near samples that are to be judged: among the known ones, and among themselves (`verdicts.Search`)."""
    own, other, other_person = _among_known(context, known, asked, persons, dimension, review)
    floors = np.maximum(other, review)
    later, earlier, similarity = _among_themselves(context, asked, persons, floors)
    return Resemblances(own, other_person, other, later, earlier, similarity)


def _among_known(
    context: Context, known: DataFrame, asked: DataFrame, persons: Sequence[str], dimension: int, review: float
) -> tuple[Array, Array, list[str | None]]:
    """The highest similarity of each to its own person, that to the nearest other person, and who that is."""
    own, other = np.full((2, len(persons)), -np.inf)
    other_person: list[str | None] = [None] * len(persons)
    digest = packing.digest_of_packed(known)
    if not digest.samples:
        return own, other, other_person
    packed, _ = packing.pack(context, known, digest)
    # All that are known are accepted: of the two nearest persons at least one is another.
    plan = execution_plan_for(packed, context.settings.identify.largest_whole)
    none = F.lit(None).cast("array<string>").alias("left_out")
    faces = asked.select(F.col("at").cast("string").alias("face_id"), "embedding", none)
    found = nearest(faces, len(persons), packed, dimension, 2, review, plan)
    near = found.select(F.col("face_id").cast("int").alias("at"), "rank", "person_id", "similarity").toArrow()
    names = pa.array(persons, pa.string())
    near = near.filter(pc.not_equal(near["person_id"], names.take(near["at"].combine_chunks()))).sort_by(
        [("at", "ascending"), ("rank", "ascending")]
    )
    _, first = np.unique(near["at"].to_numpy(), return_index=True)
    near = near.take(pa.array(first))
    places = near["at"].to_numpy()
    other[places] = near["similarity"].to_numpy()
    for place, person in zip(places.tolist(), near["person_id"].to_pylist(), strict=True):
        other_person[place] = person
    own_known = _to_own(asked, packed)
    own[own_known["at"].to_numpy()] = own_known["own"].to_numpy()
    return own, other, other_person


def _to_own(asked: DataFrame, packed: "Packed") -> pa.Table:
    """The similarity of each to its own person's samples (judging.OWN), each part by one task."""
    spark = asked.sparkSession
    compare = peak_memory.told(spark, judging.own_in(packed))
    return (
        asked.select("at", "person_id", "embedding", _part_of_person(packed).alias("part"))
        .repartitionById(len(packed.parts), "part")
        .select("at", "person_id", "embedding")
        .mapInArrow(compare, spark_schema(judging.OWN), profile=task_resources.on_cpus(spark))
        .toArrow()
    )


def _part_of_person(packed: "Packed") -> Column:
    edges = F.array(*[F.lit(part.first_person) for part in packed.parts[1:]]).cast("array<string>")
    return F.size(F.filter(edges, lambda edge: edge <= F.col("person_id")))


def _among_themselves(
    context: Context, asked: DataFrame, persons: Sequence[str], floors: Array
) -> tuple[Array, Array, Array]:
    """The later and the earlier sample of each pair that counts, and their similarity."""
    # Packed in the order in which they are judged.
    in_order = asked.select(
        F.format_string("%010d", "at").alias("person_id"), "sample_id", "embedding", "embedding_digest"
    )
    packed, _ = packing.pack(context, in_order, packing.digest_of_packed(in_order), SEEN_PHOTOS.name)
    blocks = -(-len(persons) // judging.BLOCK)
    spark = asked.sparkSession
    tasks = min(blocks, 4 * spark.sparkContext.defaultParallelism)
    compare = peak_memory.told(spark, judging.pairs(packed, numbered(persons), floors))
    try:
        found = (
            spark.range(blocks)
            .select(F.col("id").cast("int").alias("block"))
            .repartitionById(tasks, (F.col("block") % tasks).cast("int"))
            .mapInArrow(compare, spark_schema(judging.PAIR), profile=task_resources.on_cpus(spark))
            .toArrow()
        )
    finally:  # nothing of who is judged stays there; what executors copied of a remote store is swept later
        artifacts.remove(f"{packed.root}/{packed.name}")
    return found["later"].to_numpy(), found["earlier"].to_numpy(), found["similarity"].to_numpy()
