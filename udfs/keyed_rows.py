"""Keyed hashes of many values at once, on executors."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from udfs.arrow import BatchFunction, RecordBatches
from udfs.keyed import Keyed

HASHED_URI = pa.schema([("uri", pa.string()), ("hash", pa.string())])
VECTOR = pa.schema([("embedding", pa.list_(pa.float32()))])
HASH = pa.schema([("hash", pa.string())])


def hash_uris(keyed: Keyed) -> BatchFunction:
    """A function of URIs (`uri`): each with its keyed hash (HASHED_URI)."""

    def hashed(batches: RecordBatches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            uris = batch["uri"]
            hashes = pa.array([keyed.text(uri) for uri in uris.to_pylist()], pa.string())
            yield pa.record_batch([uris, hashes], schema=HASHED_URI)

    return hashed


def hash_vectors(keyed: Keyed) -> BatchFunction:
    """A function of embeddings (VECTOR): of each the hash as it is, and the hash as it is rounded for the search."""

    def hashed(batches: RecordBatches) -> Iterator[pa.RecordBatch]:
        from udfs.search.quantisation import Quantised

        for batch in batches:
            hashes = []
            for vector in batch["embedding"].to_pylist():
                row = np.array(vector, np.float32)
                hashes += [keyed.vector(row), keyed.codes(Quantised.of(row[None]).codes[0])]
            yield pa.record_batch([pa.array(hashes, pa.string())], schema=HASH)

    return hashed
