"""Arrow in, Arrow out: parts of what is packed to the neighbours of their faces."""

from collections.abc import Callable, Mapping, Sequence
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
    """(NUMBER) parts that have no list -> the list of each, compared with all parts (LISTED)."""

    def make(store: PartsInScope, number: int) -> dict[str, object]:
        from udfs.grouping import neighbours

        found = neighbours.other_faces(_nearest(graph, store, number, None, store.numbers, threads, 1), number, graph.k)
        return _written(graph, store, found)

    return _each(graph, parts, make)


def updated(graph: "Graph", parts: Sequence["PartInScope | None"], fresh: Sequence[int], threads: int) -> BatchFunction:
    """(NUMBER) parts that had a list before others came or went -> the list of each, brought up to date (LISTED).

    fresh: parts that have come; their lists, which have been made, say in reverse who has one of their faces as a
    neighbour. Only of a face whose list is full may that be somebody else as well: such faces are looked for.
    """

    def update(store: PartsInScope, number: int) -> dict[str, object]:
        from udfs.grouping import neighbours

        known = graph.lists[store.keys[number]]
        folder = store.near(known.name, known.check)
        known.check(folder)
        before = neighbours.load(folder, store.keys)
        kept, again = neighbours.kept_of(before, graph.k)
        added = []
        full: dict[int, Array] = {}
        for each in fresh:
            theirs = graph.lists[store.keys[each]]
            turned, of_full = neighbours.reversed_for(
                neighbours.load(store.near(theirs.name, theirs.check), store.keys), each, number, graph.k
            )
            added.append(turned)
            full |= {each: of_full} if len(of_full) else {}
        if full:
            added.append(_nearest_of(graph, store, number, full, threads))
        if len(again):
            others = [each for each in store.numbers if each not in fresh]
            once_more = _nearest(graph, store, number, again, others, threads, 1)
            added.append(neighbours.other_faces(once_more, number, graph.k))
        if len(kept.query) == len(before.query) and not any(len(of.query) for of in added):
            return {"name": known.name, "sha256": known.sha256, "edges": known.edges}
        return _written(graph, store, neighbours.merged(kept, added, graph.k, store.names))

    return _each(graph, parts, update)


def _each(
    graph: "Graph", parts: Sequence["PartInScope | None"], work: Callable[[PartsInScope, int], dict[str, object]]
) -> BatchFunction:
    """Do something with each part, once it has been compared with what was written."""

    def each(batches: RecordBatches) -> RecordBatches:
        from udfs.search.packed import DamagedError

        store = PartsInScope(graph.root, parts)
        for batch in batches:
            for number in batch.column("part").to_pylist():
                row: dict[str, object] = dict.fromkeys(LISTED.names) | {"part": number}
                try:
                    store.check(number)
                    row |= work(store, number)
                except (DamagedError, OSError) as error:
                    row["damage"] = str(error)
                yield pa.RecordBatch.from_pylist([row], schema=LISTED)

    return each


def _written(graph: "Graph", store: PartsInScope, found: "NearestRows") -> dict[str, object]:
    from udfs.grouping import neighbours

    name = f"{graph.name}/{uuid4().hex}"
    with artifacts.new(f"{graph.root}/{name}") as folder:
        written = neighbours.save(name, found, store.keys, folder)
    return {"name": name, "sha256": written.sha256, "edges": written.edges}


def _nearest_of(
    graph: "Graph", store: PartsInScope, number: int, some: Mapping[int, Array], threads: int
) -> "NearestRows":
    """The nearest of some faces, rows by part, to each face of a part."""
    from udfs.search.index import Index
    from udfs.search.samples import SampleMatrix

    matrices = []
    for part, rows in some.items():
        ids = store.columns(part)["sample"].take(rows)
        matrices.append(SampleMatrix.of(store.matrix(part).vectors[rows], ids, ids))  # in their order, as parts are
    mine = store.matrix(number)
    asked = np.flatnonzero(~np.isnan(mine.scales[: len(mine.vectors)]))
    found = Index(matrices).nearest_rows(mine.vectors[asked], graph.k, graph.floor, threads)
    row = found.row.copy()
    for at, rows in enumerate(some.values()):
        row[found.part == at] = rows[found.row[found.part == at]]
    return found._replace(query=asked[found.query], part=np.fromiter(some, np.int32)[found.part], row=row)


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
