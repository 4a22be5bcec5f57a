"""The neighbours of all faces of a contract, kept beside what is packed, and brought up to date by what is new."""

import time
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.matching import seen as packing
from jobs.run import peak_memory, task_resources
from jobs.run.context import Context
from udfs import artifacts, neighbours
from udfs.arrow import spark_schema

if TYPE_CHECKING:
    from udfs.grouping.neighbours import Graph
    from udfs.search.packed_faces import FacesInScope, PackedFaces, PartInScope

K = 32
"""Neighbours that are kept of a face."""


def all_neighbours(context: Context, packed: "PackedFaces", seen: "FacesInScope", floor: float) -> "Graph | None":
    """The neighbours of all faces that were seen, as far as they are at least `floor` similar; None if something that
    is packed is damaged: it has been noted, and is packed again when it is next asked for.

    The lists of parts that are known stay; only what is new is compared with everything, and everything with it.
    """
    from udfs.grouping.neighbours import DESCRIPTION, Graph, ListFile

    began = time.monotonic()
    place = f"{packed.root}/{packed.name}/{DESCRIPTION}"
    known = Graph.from_json(packed.root, packed.name, artifacts.read(place)).for_floor(K, floor)
    parts: dict[str, PartInScope] = {part.key: part for part in seen.parts if part}
    if set(known.lists) == set(parts):
        return known
    found = _listed(context, known, seen)
    damaged = found.filter(found["damage"].is_valid())
    if damaged.num_rows:
        context.log.info(f"{context.job}: {damaged['damage'][0].as_py()}; what is damaged is made again")
        bad = [part.part.name for number in damaged["part"].to_pylist() if (part := seen.parts[number])]
        artifacts.write(place, Graph(packed.root, packed.name, K, floor, {}).to_json())
        packing.note(packed.without(bad))
        return None
    lists = {}
    for row in found.to_pylist():
        part = seen.parts[row["part"]]
        assert part is not None
        lists[part.key] = ListFile(row["name"], row["sha256"], row["edges"])
    graph = Graph(packed.root, packed.name, K, known.floor, lists)
    artifacts.write(place, graph.to_json())
    _sweep(known, graph)
    fresh = sum(part.part.rows for key, part in parts.items() if key not in known.lists)
    context.log.info(
        f"{context.job}: {sum(of.edges for of in lists.values()):,} neighbours of {seen.faces:,} faces,"
        f" {fresh:,} of which are new; {time.monotonic() - began:.1f} s"
    )
    return graph


def _listed(context: Context, known: "Graph", seen: "FacesInScope") -> pa.Table:
    """The lists of all parts (neighbours.LISTED)."""
    spark = context.spark
    numbers = pa.table({"part": pa.array([at for at, part in enumerate(seen.parts) if part], pa.int32())})
    threads, profile = task_resources.cpus(spark), task_resources.on_cpus(spark)
    listed = peak_memory.told(spark, neighbours.listed(known, seen.parts, threads))
    tasks = spark.createDataFrame(numbers).repartitionById(len(seen.parts), "part")
    return tasks.mapInArrow(listed, spark_schema(neighbours.LISTED), profile=profile).toArrow().cast(neighbours.LISTED)


def _sweep(before: "Graph", after: "Graph") -> None:
    """Remove the lists that are named no more; a reader who still has them finds them damaged, and begins anew."""
    named = {of.name for of in after.lists.values()}
    for of in before.lists.values():
        if of.name not in named:
            artifacts.remove(f"{before.root}/{of.name}")
