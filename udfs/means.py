"""Arrow in, Arrow out: embeddings to the means of groups."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from udfs.arrow import RecordBatches
from udfs.matching import vectors_of

Array = np.ndarray

SUM = pa.schema([("group", pa.string()), ("total", pa.binary()), ("count", pa.int64())])
"""A group, the sum of its vectors here, float64, and how many they are."""


def sums(batches: RecordBatches) -> RecordBatches:
    """(group, embedding) -> the sum of each group's vectors in this task (SUM)."""
    received = list(batches)
    if not received:
        return
    table = pa.Table.from_batches(received).combine_chunks()
    groups = table["group"].combine_chunks().dictionary_encode()
    vectors = vectors_of(table["embedding"])
    label = groups.indices.to_numpy()
    total = np.zeros((len(groups.dictionary), vectors.shape[1]))
    np.add.at(total, label, vectors)
    columns = [groups.dictionary, [row.tobytes() for row in total], np.bincount(label)]
    yield pa.RecordBatch.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SUM, strict=True)], schema=SUM
    )


def means(found: Iterable[dict[str, object]]) -> dict[str, Array]:
    """The mean vector of each group, of the rows of `sums`."""
    total: dict[str, Array] = {}
    count: dict[str, int] = {}
    for row in found:
        group, here = str(row["group"]), np.frombuffer(row["total"])  # type: ignore[call-overload]
        total[group] = total.get(group, 0) + here
        count[group] = count.get(group, 0) + row["count"]  # type: ignore[operator]
    return {group: vector / count[group] for group, vector in total.items()}
