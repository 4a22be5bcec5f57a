"""Arrow in, Arrow out: parts of what is packed to the neighbours of their faces."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pyarrow as pa

from udfs import artifacts
from udfs.arrow import BatchFunction, RecordBatches
from udfs.parts_in_scope import PartsInScope

if TYPE_CHECKING:
    from udfs.grouping.neighbours import Graph
    from udfs.search.index import NearestRows
    from udfs.search.packed_faces import PartInScope

Array = np.ndarray

NUMBER = pa.schema([("part", pa.int32())])
LISTED = pa.schema(
    [
        ("part", pa.int32()),
        ("name", pa.string()),
        ("sha256", pa.string()),
        ("edges", pa.int64()),
        ("damage", pa.string()),
    ]
)
"""The list of a part, by the number of the part; or, where `damage` is not null, what is wrong with a part."""


def listed(graph: "Graph", parts: Sequence["PartInScope | None"], threads: int) -> BatchFunction:
    """(NUMBER) parts -> the list of neighbours of each, brought up to date (LISTED).

    A part that has no list is compared with all parts; one that has is compared with those that have none. Parts and
    lists are compared with what was written, each by the task that brings its list up to date.
    """

    def search(batches: RecordBatches) -> RecordBatches:
        from udfs.search.packed import DamagedError

        store = PartsInScope(graph.root, parts)
        for batch in batches:
            for number in batch.column("part").to_pylist():
                row: dict[str, object] = dict.fromkeys(LISTED.names) | {"part": number}
                try:
                    row |= _listed(graph, store, number, threads)
                except (DamagedError, OSError) as error:
                    row["damage"] = str(error)
                yield pa.RecordBatch.from_pylist([row], schema=LISTED)

    return search


def _listed(graph: "Graph", store: PartsInScope, number: int, threads: int) -> dict[str, object]:
    from udfs.grouping import neighbours

    known = graph.lists.get(store.keys[number])
    store.check(number)
    if known is None:
        found = neighbours.other_faces(_nearest(graph, store, number, None, store.numbers, threads, 1), number, graph.k)
    else:
        fresh = [each for each in store.numbers if store.keys[each] not in graph.lists]
        folder = store.near(known.name, known.check)
        known.check(folder)
        before = neighbours.load(folder, store.keys)
        kept, again = neighbours.kept_of(before, graph.k)
        others = [each for each in store.numbers if each not in fresh]
        added = [_nearest(graph, store, number, None, fresh, threads, 0)] if fresh else []
        if len(again):
            once_more = _nearest(graph, store, number, again, others, threads, 1)
            added.append(neighbours.other_faces(once_more, number, graph.k))
        if len(kept.query) == len(before.query) and not any(len(of.query) for of in added):
            return {"name": known.name, "sha256": known.sha256, "edges": known.edges}
        found = neighbours.merged(kept, added, graph.k, store.names)
    name = f"{graph.name}/{uuid4().hex}"
    with artifacts.new(f"{graph.root}/{name}") as folder:
        written = neighbours.save(name, found, store.keys, folder)
    return {"name": name, "sha256": written.sha256, "edges": written.edges}


def _nearest(
    graph: "Graph",
    store: PartsInScope,
    number: int,
    asked: Array | None,
    among: Sequence[int],
    threads: int,
    more: int,
) -> "NearestRows":
    """The nearest faces in some parts of faces of a part: those in rows `asked`, or all. more: how many more than k."""
    from udfs.search.index import Index

    matrix = store.matrix(number)
    rows = np.flatnonzero(~np.isnan(matrix.scales[: len(matrix.vectors)])) if asked is None else asked
    found = Index([store.matrix(each) for each in among]).nearest_rows(
        matrix.vectors[rows], graph.k + more, graph.floor, threads
    )
    return found._replace(query=rows[found.query], part=np.asarray(among, np.int32)[found.part])
