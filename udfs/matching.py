"""Arrow in, Arrow out: samples to a packed gallery, and faces to their nearest persons."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import artifacts
from udfs.arrow import BatchFunction, RecordBatches
from udfs.search.cohort import cohort_similarity
from udfs.search.similarity import refuse_unfit

if TYPE_CHECKING:
    from udfs.search.definition import Nearest
    from udfs.search.packed import Packed, Part
    from udfs.search.samples import SampleMatrix

Array = np.ndarray

PART = pa.schema(
    [
        ("name", pa.string()),
        ("first_person", pa.string()),
        ("rows", pa.int64()),
        ("size", pa.int64()),
        ("loss", pa.float64()),
        ("kept", pa.float64()),
        ("sha256", pa.map_(pa.string(), pa.string())),
        ("path", pa.string()),
    ]
)
"""A part that was packed, and how the executor that packed it would search it."""
ROW = pa.schema(
    [
        ("part", pa.int32()),
        ("row", pa.int32()),
        ("person_id", pa.string()),
        ("sample_id", pa.string()),
        ("embedding_digest", pa.int64()),
    ]
)
"""A row of a part of a packed gallery."""
CHECKED = pa.schema([("damage", pa.string()), ("path", pa.string())])
"""What is wrong with a part, if anything, and how this executor would search it."""
BLOCK = pa.schema(
    [
        ("face_ids", pa.list_(pa.string())),
        ("vectors", pa.binary()),
        ("left_out", pa.list_(pa.list_(pa.string()))),
    ]
)
"""Faces that travel together: their embeddings, float32 (n, d), and the samples that each is not compared with."""
CANDIDATE = pa.schema(
    [
        ("face_id", pa.string()),
        ("person_id", pa.string()),
        ("sample_id", pa.string()),
        ("similarity", pa.float64()),
        ("rank", pa.int32()),
    ]
)
"""One of the k nearest persons of a face in what was searched; rank 1 is the nearest."""


def pack(root: str, name: str) -> BatchFunction:
    """(person_id, sample_id, embedding, embedding_digest), all samples of a range of persons -> one part of the packed
    gallery `name` below the URI `root`, written there (PART)."""

    def pack_part(batches: RecordBatches) -> RecordBatches:
        received = list(batches)
        table = pa.Table.from_batches(received) if received else None
        if not table:
            return
        yield pa.RecordBatch.from_pylist([packed_part(root, name, table)], schema=PART)

    return pack_part


def packed_part(root: str, name: str, table: pa.Table, more: Sequence[str] = ()) -> dict[str, object]:
    """Write one part of what is packed under `name` below the URI `root`; returns its row (PART).

    table: person_id, sample_id, embedding, embedding_digest; at least one row. more: further columns of it that are
    kept.
    """
    from udfs.search.packed import Part
    from udfs.search.samples import SampleMatrix  # here, as numba takes half a second to import

    vectors = vectors_of(table["embedding"])
    samples, digests = (table[column].combine_chunks() for column in ("sample_id", "embedding_digest"))
    refuse_unfit(vectors, samples)
    matrix = SampleMatrix.of(vectors, table["person_id"].combine_chunks(), samples)
    place = pc.index_in(matrix.samples, value_set=samples)
    kept = {column: table[column].combine_chunks().take(place) for column in more}
    folder_name = f"{name}/{uuid4().hex}"  # two tasks may write the same part, of which the description names one
    with artifacts.new(f"{root}/{folder_name}") as folder:
        part = Part.save(folder_name, matrix, digests.take(place), folder, kept)
    row: dict[str, object] = {**asdict(part), "sha256": list(part.sha256.items()), "path": _path(matrix)}
    del row["gone"]
    return row


def check(packed: "Packed") -> BatchFunction:
    """(part) numbers of parts -> whether each is what was written (CHECKED)."""

    def check_parts(batches: RecordBatches) -> RecordBatches:
        from udfs.search.packed import DamagedError

        for batch in batches:
            for number in batch.column("part").to_pylist():
                part, damage = packed.parts[number], None
                try:
                    folder = artifacts.near(packed.place(part), part.check)
                    part.check(folder)
                    path = _path(part.load(folder))
                except (DamagedError, OSError) as error:
                    damage, path = str(error), None
                yield pa.RecordBatch.from_pylist([{"damage": damage, "path": path}], schema=CHECKED)

    return check_parts


def rows(packed: "Packed") -> BatchFunction:
    """(part) numbers of parts -> their rows (ROW)."""

    def read(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            for number in batch.column("part").to_pylist():
                part = packed.parts[number]
                names = part.names(artifacts.near(packed.place(part), part.check))
                count = names.num_rows
                columns = [pa.array(np.full(count, number, np.int32)), pa.array(np.arange(count, dtype=np.int32))]
                yield pa.RecordBatch.from_arrays([*columns, *names.columns], schema=ROW)

    return read


def _path(matrix: "SampleMatrix") -> str:
    from udfs.search.index import fastest

    return fastest(matrix.vectors.shape[1]).name


def blocks(size: int) -> BatchFunction:
    """(face_id, embedding, left_out) -> blocks of up to `size` faces (BLOCK)."""

    def cut(batches: RecordBatches) -> RecordBatches:
        received = list(batches)
        if not received:
            return
        table = pa.Table.from_batches(received)
        for start in range(0, table.num_rows, size):
            block = table.slice(start, size)
            matrix = vectors_of(block["embedding"])
            face_ids = block["face_id"].to_pylist()
            refuse_unfit(matrix, face_ids)
            columns = {
                "face_ids": [face_ids],
                "vectors": [matrix.tobytes()],
                "left_out": [[samples or [] for samples in block["left_out"].to_pylist()]],
            }
            yield pa.RecordBatch.from_pydict(columns, schema=BLOCK)

    return cut


def search_all(packed: "Packed", k: int, floor: float, threads: int) -> BatchFunction:
    """(face_id, embedding, left_out) -> the k nearest persons of each face (CANDIDATE).

    A part of the gallery is compared with all faces of a task before the next part, so that what is scanned is
    read into memory once for many faces.
    """

    def search(batches: RecordBatches) -> RecordBatches:
        received = list(batches)
        if not received:
            return
        faces = pa.Table.from_batches(received)
        matrix = vectors_of(faces["embedding"])
        face_ids = faces["face_id"].combine_chunks()
        refuse_unfit(matrix, face_ids)
        found = _nearest(packed, packed.parts, matrix, faces["left_out"].to_pylist(), k, floor, threads)
        yield _candidates(face_ids, found)

    return search


def search_parts(packed: "Packed", dimension: int, k: int, floor: float, threads: int) -> BatchFunction:
    """(part, *BLOCK), a part's number and a block of faces -> the k nearest persons of each face in that part.

    The k nearest persons of the whole gallery are among those of its parts: whoever is before a person in
    the part that person is in is before them in the whole.
    """

    def search(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            for pair in batch.to_pylist():
                matrix = np.frombuffer(pair["vectors"], np.float32).reshape(-1, dimension)
                part = packed.parts[pair["part"]]
                found = _nearest(packed, [part], matrix, pair["left_out"], k, floor, threads)
                yield _candidates(pa.array(pair["face_ids"], pa.string()), found)

    return search


def _nearest(
    packed: "Packed",
    parts: "Iterable[Part]",
    faces: Array,
    left_out: list[list[str] | None],
    k: int,
    floor: float,
    threads: int,
) -> "Nearest":
    from udfs.search.index import Index

    matrices = [part.load(artifacts.near(packed.place(part), part.check)) for part in parts]
    pairs = [(row, sample) for row, samples in enumerate(left_out) for sample in samples or ()]
    return Index(matrices).nearest(faces, k, floor, threads, pairs)


def _candidates(face_ids: pa.StringArray, found: "Nearest") -> pa.RecordBatch:
    rank = 1 + np.arange(len(found.query)) - np.searchsorted(found.query, found.query)
    columns = (face_ids.take(pa.array(found.query)), found.person, found.sample, found.similarity, rank)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, CANDIDATE, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=CANDIDATE)


COHORT_SIMILARITY = pa.schema([("face_id", pa.string()), ("cohort_similarity", pa.float64())])
"""How near a face is to strangers."""


def near_cohort(cohort: Array) -> BatchFunction:
    """(face_id, embedding) -> how near each is to a cohort, float32 (m, d) (COHORT_SIMILARITY)."""

    def measure(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            vectors = vectors_of(pa.chunked_array([batch.column("embedding")]))
            columns = [batch.column("face_id"), pa.array(cohort_similarity(vectors, cohort))]
            yield pa.RecordBatch.from_arrays(columns, schema=COHORT_SIMILARITY)

    return measure


def vectors_of(embeddings: pa.ChunkedArray) -> Array:
    """A column of embeddings of one length as float32 (n, d).

    Raises:
        ValueError: a null, or embeddings of several lengths: the table's constraints hold neither.
    """
    column = pa.concat_arrays(embeddings.chunks)
    if column.null_count or len(set(np.diff(column.offsets.to_numpy()))) > 1:
        raise ValueError("embeddings must be present and of one length")
    return column.flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False).reshape(len(column), -1)
