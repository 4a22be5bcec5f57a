"""Arrow in, Arrow out: embeddings to blocks, and pairs of blocks to candidates."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from udfs.arrow import Batches
from udfs.search.similarity import refuse_unfit

Array = np.ndarray

QUERY_BLOCK = pa.schema([("face_ids", pa.list_(pa.string())), ("query_vectors", pa.binary())])
GALLERY_BLOCK = pa.schema(
    [
        ("person_ids", pa.list_(pa.string())),
        ("sample_ids", pa.list_(pa.string())),
        ("gallery_vectors", pa.binary()),
    ]
)
CANDIDATE = pa.schema(
    [
        ("face_id", pa.string()),
        ("person_id", pa.string()),
        ("sample_id", pa.string()),
        ("similarity", pa.float64()),
    ]
)


def pack_queries(rows: int) -> Callable[[Batches], Batches]:
    """(face_id, embedding) -> blocks of up to `rows` faces (QUERY_BLOCK)."""
    return _packing(rows, ["face_id"], ["face_ids"], "query_vectors")


def pack_gallery(rows: int) -> Callable[[Batches], Batches]:
    """(person_id, sample_id, embedding) -> blocks of up to `rows` samples (GALLERY_BLOCK)."""
    return _packing(rows, ["person_id", "sample_id"], ["person_ids", "sample_ids"], "gallery_vectors")


def _packing(rows: int, names: list[str], columns: list[str], vectors: str) -> Callable[[Batches], Batches]:
    def pack(batches: Batches) -> Batches:
        received = list(batches)
        if not received:
            return
        table = pa.Table.from_batches(received)
        for start in range(0, table.num_rows, rows):
            block = table.slice(start, rows).combine_chunks()
            matrix = vectors_of(block["embedding"])
            refuse_unfit(matrix, block[names[-1]].to_pylist())
            yield pa.RecordBatch.from_pydict(
                {
                    **{column: [block[name].to_pylist()] for name, column in zip(names, columns, strict=True)},
                    vectors: [matrix.tobytes()],
                }
            )

    return pack


def vectors_of(embeddings: pa.ChunkedArray) -> Array:
    """A column of embeddings of one length as float32 (n, d).

    Raises:
        ValueError: a null, or embeddings of several lengths: the table's constraints hold neither.
    """
    column = pa.concat_arrays(embeddings.chunks)
    if column.null_count or len(set(np.diff(column.offsets.to_numpy()))) > 1:
        raise ValueError("embeddings must be present and of one length")
    return column.flatten().to_numpy(zero_copy_only=False).astype(np.float32, copy=False).reshape(len(column), -1)


def search_blocks(k: int, floor: float, dimension: int) -> Callable[[Batches], Batches]:
    """Pairs of a block of faces and a block of samples -> the k nearest persons of each face in that block.

    The k nearest persons of the whole gallery are among those of its blocks: whoever is before a person in
    the block that holds the person's nearest sample is before them in the whole.
    """

    def search(batches: Batches) -> Batches:
        from udfs.search.gallery import Gallery  # here, as numba takes half a second to import
        from udfs.search.topk import Index

        for batch in batches:
            for pair in batch.to_pylist():
                queries = _matrix(pair["query_vectors"], dimension)
                gallery = Gallery.of(
                    _matrix(pair["gallery_vectors"], dimension), pair["person_ids"], pair["sample_ids"]
                )
                found = Index(gallery).nearest(queries, k, floor)
                faces = np.asarray(pair["face_ids"], object)[found.query]
                columns = (faces, found.person, found.sample, found.similarity)
                yield pa.RecordBatch.from_arrays(
                    [pa.array(column, field.type) for column, field in zip(columns, CANDIDATE, strict=True)],
                    schema=CANDIDATE,
                )

    return search


def _matrix(content: bytes, dimension: int) -> Array:
    return np.frombuffer(content, np.float32).reshape(-1, dimension)
