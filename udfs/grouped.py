"""Arrow in, Arrow out: the neighbours of faces to groups.

Faces go by numbers here: that of the first face of their part, and their row in it. Columns of numbers travel as bytes,
int64 unless said otherwise, as they are as many as there are faces.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs.arrow import BatchFunction, RecordBatches
from udfs.parts_in_scope import PartsInScope

if TYPE_CHECKING:
    from udfs.grouping.neighbours import Graph
    from udfs.search.packed_faces import PartInScope

Array = np.ndarray

OUTSIDE, JOINS, FOUNDS = 0, 1, 2
"""States of a face: it is not asked about; it joins a group, but founds none; it founds groups."""

FACES_OF_PART = pa.schema([("part", pa.int32()), ("face_ids", pa.list_(pa.string())), ("founds", pa.list_(pa.bool_()))])
STATES = pa.schema(
    [
        ("part", pa.int32()),
        ("states", pa.binary()),
        ("named", pa.list_(pa.string())),
        ("rows", pa.list_(pa.int32())),
    ]
)
"""states: of each row of a part, a byte. named: those of some faces that are in it; rows: where."""
CONNECTED = pa.schema(
    [
        *(("one", pa.binary()), ("other", pa.binary()), ("similarity", pa.binary())),
        *(("joins", pa.binary()), ("near", pa.binary()), ("full", pa.binary())),
    ]
)
"""Edges that connect founders, similarity float64. joins, near: a face that founds no group, and the founder nearest to
it. full: faces that may have more neighbours than the graph has."""
PIECES = pa.schema([("task", pa.int32()), ("faces", pa.binary()), ("piece", pa.binary()), ("near", pa.binary())])
"""Faces and what piece of the graph they are in. near: of a face that founds no group the founder nearest to it; -1: it
founds groups."""
GROUPED = pa.schema([("faces", pa.binary()), ("group", pa.binary())])
"""Faces, and the first face of their group by id; -1: they are in none."""
LABELS = pa.schema([("part", pa.int32()), ("group", pa.binary())])
MEMBER = pa.schema(
    [("face_id", pa.string()), ("image_id", pa.string()), ("run_date", pa.date32()), ("group", pa.int64())]
)


Apart = tuple[frozenset[int], frozenset[int]]
"""Faces, and others that are never in a group with one of these."""


def _pairs(apart: Sequence[Apart], among: Collection[int]) -> Iterator[tuple[int, int]]:
    """The pairs of faces, of some, that are never in one group."""
    for ones, others in apart:
        yield from product(ones.intersection(among), others.intersection(among))


def numbers_of(column: pa.Array | list[bytes], kind: type = np.int64) -> Array:
    """Columns of bytes, one after the other."""
    values = column.to_pylist() if isinstance(column, pa.Array) else column
    return np.frombuffer(b"".join(values), kind)


def states(root: str, parts: Sequence["PartInScope | None"], named: Sequence[str]) -> BatchFunction:
    """(FACES_OF_PART) -> the states of all faces of a part, and where those that are named are (STATES)."""

    def look(batches: RecordBatches) -> RecordBatches:
        store = PartsInScope(root, parts)
        for batch in batches:
            for at, number in enumerate(batch.column("part").to_pylist()):
                ids = store.columns(number)["sample"]
                state = np.zeros(len(ids), np.uint8)
                place = pc.index_in(batch.column("face_ids")[at].values, value_set=ids)
                founds = batch.column("founds")[at].values.to_numpy(zero_copy_only=False)
                state[place.to_numpy(zero_copy_only=False).astype(np.int64)] = np.where(founds, FOUNDS, JOINS)
                rows = np.flatnonzero(pc.is_in(ids, value_set=pa.array(named, pa.string())).to_numpy(False))
                row = {"part": number, "states": state.tobytes(), "named": ids.take(rows).to_pylist(), "rows": rows}
                yield pa.RecordBatch.from_pylist([row], schema=STATES)

    return look


def connected(
    graph: "Graph", parts: Sequence["PartInScope | None"], begins: Array, state: Array, threshold: float
) -> BatchFunction:
    """(part) -> how the faces of a part are connected (CONNECTED).

    begins: the number of the first face of each part. state: uint8, of each face by number.
    """

    def connect(batches: RecordBatches) -> RecordBatches:
        from udfs.grouping import neighbours
        from udfs.grouping.components import forest

        store = PartsInScope(graph.root, parts)
        for batch in batches:
            for number in batch.column("part").to_pylist():
                known = graph.lists[store.keys[number]]
                found = neighbours.load(store.near(known.name, known.check), store.keys)
                one, other = begins[number] + found.query, begins[found.part] + found.row
                near_enough = found.similarity >= threshold
                count = np.bincount(found.query[near_enough], minlength=1)
                full = begins[number] + np.flatnonzero(count == graph.k)
                to_founder = near_enough & (state[other] == FOUNDS)
                edges = np.flatnonzero(to_founder & (state[one] == FOUNDS))
                kept = edges[forest(one[edges], other[edges], found.similarity[edges])]
                joining = np.flatnonzero(to_founder & (state[one] == JOINS))
                joins, first = np.unique(one[joining], return_index=True)
                columns = (one[kept], other[kept], found.similarity[kept], joins, other[joining][first], full)
                row = {name: values.tobytes() for name, values in zip(CONNECTED.names, columns, strict=True)}
                yield pa.RecordBatch.from_pylist([row], schema=CONNECTED)

    return connect


def grouped(
    root: str,
    parts: Sequence["PartInScope | None"],
    begins: Array,
    threshold: float,
    same: dict[int, int],
    apart: Sequence[Apart],
) -> BatchFunction:
    """(PIECES) -> the groups of faces (GROUPED).

    same: of faces that are one from the start, the first by number.
    """

    def group(batches: RecordBatches) -> RecordBatches:
        from udfs.grouping.pieces import group_piece

        store = _Faces(PartsInScope(root, parts), begins)
        for batch in batches:
            for row in batch.to_pylist():
                faces, piece, near = (np.frombuffer(row[name], np.int64) for name in ("faces", "piece", "near"))
                ids, images, vectors = store.taken(faces)
                label = np.empty(len(faces), np.int64)
                for begin, end in _runs(piece):
                    some = faces[begin:end]
                    place = {face: at for at, face in enumerate(some.tolist())}
                    found = group_piece(
                        ids[begin:end],
                        images[begin:end],
                        vectors[begin:end],
                        threshold,
                        np.array([place.get(same.get(face, face), -1) for face in place], np.int64),
                        [(place[one], place[other]) for one, other in _pairs(apart, place)],
                        np.array([place.get(face, -1) for face in near[begin:end].tolist()], np.int64),
                    )
                    label[begin:end] = np.where(found < 0, -1, some[found])
                yield pa.RecordBatch.from_pylist([{"faces": row["faces"], "group": label.tobytes()}], schema=GROUPED)

    return group


def joined(
    root: str,
    parts: Sequence["PartInScope | None"],
    begins: Array,
    state: Array,
    threshold: float,
    apart: Sequence[Apart],
    k: int,
    limit: int,
    threads: int,
) -> BatchFunction:
    """(GROUPED), faces of groups that may not be alone -> the same, in the groups that these end in.

    state: uint8, of each face by number.
    """

    def join(batches: RecordBatches) -> RecordBatches:
        from udfs.grouping import open_groups

        rows = [row for batch in batches for row in batch.to_pylist()]
        faces, group = (np.frombuffer(b"".join(row[name] for row in rows), np.int64) for name in GROUPED.names)
        if not len(faces):
            return
        store = _Faces(PartsInScope(root, parts), begins)
        first_ids, _ = store.names(groups := np.unique(group))
        groups = groups[np.argsort(first_ids)]  # in the order of their first faces
        place = {number: at for at, number in enumerate(groups.tolist())}
        label = np.array([place[number] for number in group.tolist()], np.int64)
        founds = state[faces] == FOUNDS
        sums, sizes = store.sums(faces[founds], label[founds], len(groups))
        of_face = dict(zip(faces.tolist(), label.tolist(), strict=True))
        kept_apart = {(of_face[one], of_face[other]) for one, other in _pairs(apart, of_face)}
        _, images = store.names(faces)
        kept_apart |= open_groups.apart_by_image(label.tolist(), images.tolist())
        ends = open_groups.join(sums, sizes, threshold, kept_apart, k, limit, threads)
        row = {"faces": faces.tobytes(), "group": groups[ends][label].tobytes()}
        yield pa.RecordBatch.from_pylist([row], schema=GROUPED)

    return join


def members(root: str, parts: Sequence["PartInScope | None"]) -> BatchFunction:
    """(LABELS), the group of each row of a part; -1: none -> the faces that are in groups (MEMBER)."""

    def tell(batches: RecordBatches) -> RecordBatches:
        store = PartsInScope(root, parts)
        for batch in batches:
            for row in batch.to_pylist():
                group = np.frombuffer(row["group"], np.int64)
                some = np.flatnonzero(group >= 0)
                columns = store.columns(row["part"])
                values = [columns[name].take(some) for name in ("sample", "image_id", "run_date")]
                yield pa.RecordBatch.from_arrays([*values, pa.array(group[some])], schema=MEMBER)

    return tell


class _Faces:
    """Faces by number."""

    def __init__(self, parts: PartsInScope, begins: Array) -> None:
        self._parts = parts
        self._begins = begins

    def names(self, faces: Array) -> tuple[Array, Array]:
        """Their ids and images: text (n,)."""
        ids, images = np.empty((2, len(faces)), object)

        def put(here: Array, number: int, rows: Array) -> None:
            columns = self._parts.columns(number)
            ids[here] = columns["sample"].take(rows).to_numpy(zero_copy_only=False)
            images[here] = columns["image_id"].take(rows).to_numpy(zero_copy_only=False)

        self._each(faces, put)
        return ids, images

    def taken(self, faces: Array) -> tuple[Array, Array, Array]:
        """Their ids, images and vectors: float32 (n, d)."""
        ids, images = self.names(faces)
        vectors: list[Array] = []

        def put(here: Array, number: int, rows: Array) -> None:
            of_part = self._parts.matrix(number).vectors[rows]
            if not vectors:
                vectors.append(np.empty((len(faces), of_part.shape[1]), np.float32))
            vectors[0][here] = of_part

        self._each(faces, put)
        return ids, images, vectors[0]

    def sums(self, faces: Array, group: Array, groups: int) -> tuple[Array, Array]:
        """The sums of the vectors of groups, as of `open_groups.add_sums`, and their sizes."""
        from udfs.grouping.open_groups import add_sums

        dimension = self._parts.matrix(self._parts.numbers[0]).vectors.shape[1]
        total = np.zeros((groups, dimension), np.int64)

        def add(here: Array, number: int, rows: Array) -> None:
            add_sums(total, self._parts.matrix(number).vectors[rows], group[here])

        self._each(faces, add)
        return total, np.bincount(group, minlength=groups)

    def _each(self, faces: Array, put: Callable[[Array, int, Array], None]) -> None:
        part = np.searchsorted(self._begins, faces, side="right") - 1
        for number in np.unique(part).tolist():
            here = np.flatnonzero(part == number)
            put(here, number, faces[here] - self._begins[number])


def _runs(values: Array) -> list[tuple[int, int]]:
    """Where equal values begin and end."""
    ends = np.append(np.flatnonzero(np.diff(values)) + 1, len(values)) if len(values) else np.empty(0, int)
    return list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))
