"""Arrow in, Arrow out: faces that were seen to packed parts, and queries to the nearest of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import artifacts
from udfs.arrow import BatchFunction, RecordBatches
from udfs.matching import PART, packed_part

if TYPE_CHECKING:
    from udfs.search.packed import Part
    from udfs.search.samples import SampleMatrix

Array = np.ndarray

NUMBERED_PART = pa.schema([("number", pa.int32()), *PART])
"""A part that was packed, and the number under which it was asked for."""
WANTED = pa.schema([("part", pa.int32()), ("face_ids", pa.list_(pa.string()))])
"""A part by its number, and the faces in it that count; null: all."""
NEAR = pa.schema(
    [
        ("query", pa.int32()),
        ("face_id", pa.string()),
        ("similarity", pa.float64()),
        ("part", pa.int32()),
        ("damage", pa.string()),
    ]
)
"""A face near a query, and the number of the part it is in; or, where `damage` is not null, what is wrong with a part
that was to be searched."""


def pack_numbered(root: str, name: str) -> BatchFunction:
    """(part, person_id, sample_id, embedding, embedding_digest), all faces of one part in a task -> the part, written
    under `name` below the URI `root` (NUMBERED_PART)."""

    def pack(batches: RecordBatches) -> RecordBatches:
        received = list(batches)
        if received:
            table = pa.Table.from_batches(received)
            row = {"number": table["part"][0].as_py(), **packed_part(root, name, table.drop_columns("part"))}
            yield pa.RecordBatch.from_pylist([row], schema=NUMBERED_PART)

    return pack


def nearest_faces(
    root: str, parts: Sequence["Part | None"], queries: Array, k: int, left_out: Sequence[tuple[int, str]], threads: int
) -> BatchFunction:
    """(WANTED) -> of each query the k faces in these parts that are most similar to it (NEAR); of equally similar ones
    the first by id. A part is read as a whole, and compared with what was written, before it is searched.

    queries: float32 (m, d), unit length. left_out: pairs of a query and a face that do not count.
    """

    def search(batches: RecordBatches) -> RecordBatches:
        from udfs.search.index import Index
        from udfs.search.packed import DamagedError

        matrices, damage = {}, {}
        for number, face_ids in _wanted(batches):
            part = parts[number]
            assert part is not None  # which has no face that could be wanted
            try:
                folder = artifacts.near(f"{root}/{part.name}", part.check)
                part.check(folder)
                matrices[number] = _only(part.load(folder), face_ids)
            except (DamagedError, OSError) as error:
                damage[number] = str(error)
        if damage:
            yield _near({"part": list(damage), "damage": list(damage.values())}, len(damage))
            return
        found = Index(list(matrices.values())).nearest(queries, k, -np.inf, threads, left_out)
        faces = pa.array(found.person, pa.string())
        columns = {"query": found.query, "face_id": faces, "similarity": found.similarity}
        yield _near({**columns, "part": _parts_of(faces, matrices)}, len(faces))

    return search


def _wanted(batches: RecordBatches) -> Iterator[tuple[int, pa.StringArray | None]]:
    for batch in batches:
        numbers, face_ids = batch.column("part").to_pylist(), batch.column("face_ids")
        for at, number in enumerate(numbers):
            wanted = face_ids[at]
            yield number, wanted.values if wanted.is_valid else None


def _only(matrix: "SampleMatrix", face_ids: pa.StringArray | None) -> "SampleMatrix":
    """The same, in which no others are ever found."""
    if face_ids is None:
        return matrix
    others = pc.invert(pc.is_in(matrix.samples, value_set=face_ids))
    return matrix.without(np.flatnonzero(others.to_numpy(zero_copy_only=False)).tolist())


def _parts_of(faces: pa.StringArray, matrices: "Mapping[int, SampleMatrix]") -> Array:
    """The number of the part that each face is in."""
    part = np.full(len(faces), -1, np.int32)
    for number, matrix in matrices.items():
        here = matrix.samples.filter(pc.is_in(matrix.samples, value_set=faces))
        part[pc.is_in(faces, value_set=here).to_numpy(zero_copy_only=False)] = number
    return part


def _near(columns: Mapping[str, object], rows: int) -> pa.RecordBatch:
    arrays = [pa.array(columns.get(field.name, [None] * rows), field.type) for field in NEAR]
    return pa.RecordBatch.from_arrays(arrays, schema=NEAR)
