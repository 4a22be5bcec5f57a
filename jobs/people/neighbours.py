"""The neighbours of all faces of a contract, kept beside what is packed, and brought up to date by what is new."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from jobs.matching import seen as packing
from jobs.matching.packing import KEPT
from jobs.run import peak_memory, task_resources
from jobs.run.context import Context
from udfs import artifacts, neighbours
from udfs.arrow import spark_schema
from udfs.ids import stable_id

if TYPE_CHECKING:
    from udfs.grouping.neighbours import Graph
    from udfs.search.packed_faces import FacesInScope, PackedFaces, PartInScope

K = 32
"""Neighbours that are kept of a face."""


def all_neighbours(
    context: Context, contract_id: str, packed: "PackedFaces", seen: "FacesInScope", floor: float
) -> "Graph | None":
    """The neighbours of all faces that were seen, as far as they are at least `floor` similar; None if something that
    is kept is damaged: that has been noted, and it is made again when it is next asked for.

    The lists of parts that are known stay; only what is new is compared with everything, and everything with it.
    """
    from udfs.grouping.neighbours import Graph, ListFile
    from udfs.search.packed import DESCRIPTION

    began = time.monotonic()
    name = stable_id("neighbours", contract_id)
    place = f"{packed.root}/{name}/{DESCRIPTION}"
    known = Graph.from_json(packed.root, name, artifacts.read(place)).for_floor(K, floor)
    parts: dict[str, PartInScope] = {part.key: part for part in seen.parts if part}
    found = _listed(context, known, seen)
    damaged = found.filter(found["damage"].is_valid())
    if damaged.num_rows:
        context.log.info(f"{context.job}: {damaged['damage'][0].as_py()}; what is damaged is made again")
        bad = [part for number in damaged["part"].to_pylist() if (part := seen.parts[number])]
        whole = {key: of for key, of in known.lists.items() if key not in {part.key for part in bad}}
        artifacts.write(place, replace(known, lists=whole).to_json())
        packing.note(packed.without([part.part.name for part in bad]))
        return None
    lists = {}
    for row in found.to_pylist():
        part = seen.parts[row["part"]]
        assert part is not None
        lists[part.key] = ListFile(row["name"], row["sha256"], row["edges"])
    graph = replace(known, lists=lists)
    artifacts.write(place, graph.to_json())
    _remove_old_lists(graph)
    fresh = sum(part.part.rows for key, part in parts.items() if key not in known.lists)
    if fresh:
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
    tasks = spark.createDataFrame(numbers).repartitionById(max(1, len(seen.parts)), "part")
    return tasks.mapInArrow(listed, spark_schema(neighbours.LISTED), profile=profile).toArrow().cast(neighbours.LISTED)


def _remove_old_lists(graph: "Graph") -> None:
    """Remove the lists that are named no more, unless somebody may still read them."""
    from udfs.search.packed import DESCRIPTION

    named = {of.name for of in graph.lists.values()}
    for folder, age in artifacts.ages(f"{graph.root}/{graph.name}", DESCRIPTION).items():
        if age > KEPT and f"{graph.name}/{folder}" not in named:
            artifacts.remove(f"{graph.root}/{graph.name}/{folder}")
