"""The faces, of all that were ever seen, that are most similar to some queries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.matching import seen as packing
from jobs.run import peak_memory, task_resources
from jobs.run.context import Context
from udfs import seen
from udfs.arrow import spark_schema
from udfs.vision.contract import settings_id

if TYPE_CHECKING:
    from udfs.search.packed_faces import FacesInScope, PackedFaces

Array = np.ndarray

_ATTEMPTS = 3


@dataclass(frozen=True)
class SearchScope:
    """The faces that a question is about; by default all. first, last: run_date. images: image_id, those in which they
    are."""

    first: date | None = None
    last: date | None = None
    images: DataFrame | None = None


@dataclass(frozen=True)
class NearestFaces:
    """near: query, face_id, similarity, run_date; ordered by query, similarity (falling), face_id. searched: how many
    faces there were; with images in scope, those of all images. digest: of them."""

    near: pa.Table
    searched: int
    digest: str


def nearest_faces(
    context: Context,
    contract_id: str,
    queries: Array,
    k: int,
    scope: SearchScope,
    left_out: Sequence[tuple[int, str]] = (),
) -> NearestFaces:
    """Of each query the k most similar faces of a contract; of equally similar ones the first by id.

    queries: float32 (m, d), unit length. left_out: pairs of a query and a face that do not count.

    Raises:
        InputError: there are no faces yet.
        RuntimeError: what is packed is damaged each time anew.
    """
    from udfs.search.packed_faces import FacesInScope

    configured = settings_id(context.settings.spec())
    for _ in range(_ATTEMPTS):
        packed, rows = packing.pack_seen(context, contract_id)
        searched = FacesInScope.of(packed, scope.first, scope.last, configured)
        wanted = _wanted(context, packed, searched, rows, scope)
        found = _search(context, packed.root, searched, wanted, queries, k, left_out)
        damaged = found.filter(found["damage"].is_valid())
        if not damaged.num_rows:
            near = _first(found, k).select(["query", "face_id", "similarity", "run_date"])
            return NearestFaces(near, searched.faces, searched.digest)
        context.log.info(f"{context.job}: {damaged['damage'][0].as_py()}; the faces packed there are packed again")
        bad = [of.part.name for number in damaged["part"].to_pylist() if (of := searched.parts[number]) is not None]
        packing.note(packed.without(bad))
    raise RuntimeError(f"what is packed below {packed.root} is damaged each time anew; look at its disk")


def _wanted(
    context: Context, packed: "PackedFaces", searched: "FacesInScope", rows: DataFrame, scope: SearchScope
) -> DataFrame:
    """The parts to be searched, by number, and the faces in them that may count (seen.WANTED)."""
    numbers = [number for number, part in enumerate(searched.parts) if part]
    if scope.images is not None:
        faces = packing.by_part(rows.join(scope.images, "image_id", "left_semi"), packed)
        some = faces.where(F.col("part").isin(numbers)) if numbers else faces.limit(0)
        return some.groupBy("part").agg(F.collect_list("face_id").alias("face_ids"))
    whole = pa.table({"part": pa.array(numbers, pa.int32()), "face_ids": pa.nulls(len(numbers), seen.WANTED[1].type)})
    return context.spark.createDataFrame(whole)


def _search(
    context: Context,
    root: str,
    searched: "FacesInScope",
    wanted: DataFrame,
    queries: Array,
    k: int,
    left_out: Sequence[tuple[int, str]],
) -> pa.Table:
    spark = context.spark
    tasks = max(1, min(len(searched.parts), spark.sparkContext.defaultParallelism))
    threads, profile = task_resources.cpus(spark), task_resources.on_cpus(spark)
    search = peak_memory.told(spark, seen.nearest_faces(root, searched.parts, queries, k, left_out, threads))
    spread = wanted.repartitionById(tasks, (F.col("part") % tasks).cast("int"))
    return spread.mapInArrow(search, spark_schema(seen.NEAR), profile=profile).toArrow().cast(seen.NEAR)


def _first(near: pa.Table, k: int) -> pa.Table:
    """The k nearest of each query, of those that several tasks have found."""
    order = [("query", "ascending"), ("similarity", "descending"), ("face_id", "ascending")]
    near = near.take(pc.sort_indices(near, order))
    query = near["query"].to_numpy()
    return near.filter(pa.array(np.arange(len(query)) - np.searchsorted(query, query) < k))
