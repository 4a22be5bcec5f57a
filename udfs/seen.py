"""Arrow in, Arrow out: faces that were seen to packed parts, and queries to the nearest of them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import artifacts
from udfs.arrow import BatchFunction, RecordBatches
from udfs.matching import PART, packed_part

if TYPE_CHECKING:
    from udfs.search.packed_faces import PartInScope
    from udfs.search.samples import SampleMatrix

Array = np.ndarray

_OF_FACES = ("run_date", "image_id")
"""What of a face is kept beside its name."""

NUMBERED_PART = pa.schema([("number", pa.int32()), *PART])
"""A part that was packed, and the number under which it was asked for."""
WANTED = pa.schema([("part", pa.int32()), ("face_ids", pa.list_(pa.string()))])
"""A part by its number, and the faces in it that may count; null: all of its days in scope."""
NEAR = pa.schema(
    [
        ("query", pa.int32()),
        ("face_id", pa.string()),
        ("similarity", pa.float64()),
        ("run_date", pa.date32()),
        ("part", pa.int32()),
        ("damage", pa.string()),
    ]
)
"""A face near a query, and its date; or, where `damage` is not null, what is wrong with a part that was to be searched,
and its number."""


def pack_numbered(root: str, name: str) -> BatchFunction:
    """(part, run_date, image_id, person_id, sample_id, embedding, embedding_digest), all faces of one part in a task ->
    the part, written under `name` below the URI `root` (NUMBERED_PART)."""

    def pack(batches: RecordBatches) -> RecordBatches:
        received = list(batches)
        if received:
            table = pa.Table.from_batches(received)
            row = {"number": table["part"][0].as_py(), **packed_part(root, name, table, _OF_FACES)}
            yield pa.RecordBatch.from_pylist([row], schema=NUMBERED_PART)

    return pack


def nearest_faces(
    root: str,
    parts: Sequence["PartInScope | None"],
    queries: Array,
    k: int,
    left_out: Sequence[tuple[int, str]],
    threads: int,
) -> BatchFunction:
    """(WANTED) -> of each query the k faces in these parts that are most similar to it (NEAR); of equally similar ones
    the first by id. A part is read as a whole, and compared with what was written, before it is searched.

    queries: float32 (m, d), unit length. left_out: pairs of a query and a face that do not count.
    """

    def search(batches: RecordBatches) -> RecordBatches:
        from udfs.search.index import Index
        from udfs.search.packed import DamagedError

        matrices, days, damage = [], [], {}
        for number, face_ids in _wanted(batches):
            scope = parts[number]
            assert scope is not None  # of a part without a scope no face is wanted
            part = scope.part
            try:
                folder = artifacts.near(f"{root}/{part.name}", part.check)
                part.check(folder)
                of_row = part.names(folder)["run_date"]
                matrices.append(_only(part.load(folder), of_row, scope.days, face_ids))
                days.append(of_row)
            except (DamagedError, OSError) as error:
                damage[number] = str(error)
        if damage:
            yield _near({"part": list(damage), "damage": list(damage.values())}, len(damage))
            return
        found = Index(matrices).nearest_rows(queries, k, -np.inf, threads, left_out)
        faces, of_days = np.empty(len(found.row), object), np.empty(len(found.row), "datetime64[D]")
        for number, (matrix, of_row) in enumerate(zip(matrices, days, strict=True)):
            here = found.part == number
            faces[here] = matrix.samples.take(found.row[here]).to_numpy(zero_copy_only=False)
            of_days[here] = of_row.take(found.row[here]).to_numpy(zero_copy_only=False)
        columns = {"query": found.query, "face_id": faces, "similarity": found.similarity, "run_date": of_days}
        yield _near(columns, len(faces))

    return search


def _wanted(batches: RecordBatches) -> Iterator[tuple[int, pa.StringArray | None]]:
    for batch in batches:
        numbers, face_ids = batch.column("part").to_pylist(), batch.column("face_ids")
        for at, number in enumerate(numbers):
            wanted = face_ids[at]
            yield number, wanted.values if wanted.is_valid else None


def _only(
    matrix: "SampleMatrix", day: pa.Date32Array, days: Sequence[date], face_ids: pa.StringArray | None
) -> "SampleMatrix":
    """The same, in which only faces of some days are ever found, and of these only those named, unless None are.

    day: of each row.
    """
    counts = pc.is_in(day, value_set=pa.array(days, pa.date32()))
    if face_ids is not None:
        counts = pc.and_(counts, pc.is_in(matrix.samples, value_set=face_ids))
    return matrix.without(np.flatnonzero(~counts.to_numpy(zero_copy_only=False)))


def _near(columns: Mapping[str, object], rows: int) -> pa.RecordBatch:
    arrays = [pa.array(columns.get(field.name, [None] * rows), field.type) for field in NEAR]
    return pa.RecordBatch.from_arrays(arrays, schema=NEAR)
