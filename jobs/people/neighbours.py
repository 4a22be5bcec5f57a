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
from udfs.arrow import BatchFunction, spark_schema
from udfs.ids import stable_id

if TYPE_CHECKING:
    from udfs.grouping.neighbours import Graph, ListFile
    from udfs.search.packed_faces import FacesInScope, PackedFaces

K = 32
"""Neighbours that are kept of a face."""


def all_neighbours(
    context: Context, contract_id: str, packed: "PackedFaces", seen: "FacesInScope", floor: float
) -> "Graph | None":
    """The neighbours of all faces that were seen, as far as they are at least `floor` similar; None if something that
    is kept is damaged: that has been noted, and it is made again when it is next asked for.

    The lists of parts that are known stay; only what is new is compared with everything, and everything with it.
    """
    from udfs.grouping.neighbours import Graph
    from udfs.search.packed import DESCRIPTION

    began = time.monotonic()
    name = stable_id("neighbours", contract_id)
    place = f"{packed.root}/{name}/{DESCRIPTION}"
    known = Graph.from_json(packed.root, name, artifacts.read(place)).for_floor(K, floor)
    fresh = [number for number, part in enumerate(seen.parts) if part and part.key not in known.lists]
    found = _made(context, seen, fresh, neighbours.listed(known, seen.parts, task_resources.cpus(context.spark)))
    if not found["damage"].is_valid().to_numpy().any():
        lists = {**known.lists, **_lists(found, seen)}
        noted = [number for number, part in enumerate(seen.parts) if part and part.key in known.lists]
        update = neighbours.updated(replace(known, lists=lists), seen.parts, fresh, task_resources.cpus(context.spark))
        found = pa.concat_tables([found, _made(context, seen, noted, update)])
    damaged = found.filter(found["damage"].is_valid())
    if damaged.num_rows:
        context.log.info(f"{context.job}: {damaged['damage'][0].as_py()}; what is damaged is made again")
        bad = [part for number in damaged["part"].to_pylist() if (part := seen.parts[number])]
        whole = {key: of for key, of in known.lists.items() if key not in {part.key for part in bad}}
        artifacts.write(place, replace(known, lists=whole).to_json())
        packing.note(packed.without([part.part.name for part in bad]))
        return None
    graph = replace(known, lists=_lists(found, seen))
    artifacts.write(place, graph.to_json())
    _remove_old_lists(graph)
    if fresh:
        new = sum(part.part.rows for number in fresh if (part := seen.parts[number]))
        context.log.info(
            f"{context.job}: {sum(of.edges for of in graph.lists.values()):,} neighbours of {seen.faces:,} faces,"
            f" {new:,} of which are new; {time.monotonic() - began:.1f} s"
        )
    return graph


def _made(context: Context, seen: "FacesInScope", numbers: list[int], work: BatchFunction) -> pa.Table:
    """The lists of some parts (neighbours.LISTED), a part a task."""
    spark = context.spark
    rows = pa.table({"part": pa.array(numbers, pa.int32())})
    tasks = spark.createDataFrame(rows).repartitionById(max(1, len(seen.parts)), "part")
    told, profile = peak_memory.told(spark, work), task_resources.on_cpus(spark)
    return tasks.mapInArrow(told, spark_schema(neighbours.LISTED), profile=profile).toArrow().cast(neighbours.LISTED)


def _lists(found: pa.Table, seen: "FacesInScope") -> dict[str, "ListFile"]:
    """By the keys of their parts."""
    from udfs.grouping.neighbours import ListFile

    keys = [part.key if part else "" for part in seen.parts]
    return {keys[row["part"]]: ListFile(row["name"], row["sha256"], row["edges"]) for row in found.to_pylist()}


def _remove_old_lists(graph: "Graph") -> None:
    """Remove the lists that are named no more, unless somebody may still read them."""
    from udfs.search.packed import DESCRIPTION

    named = {of.name for of in graph.lists.values()}
    for folder, age in artifacts.ages(f"{graph.root}/{graph.name}", DESCRIPTION).items():
        if age > KEPT and f"{graph.name}/{folder}" not in named:
            artifacts.remove(f"{graph.root}/{graph.name}/{folder}")
