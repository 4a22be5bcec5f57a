"""Arrow in, Arrow out: how samples of persons resemble the other samples of the same person."""

import numpy as np
import pyarrow as pa

from udfs.arrow import RecordBatches
from udfs.matching import vectors_of

OWN = pa.schema(
    [
        ("sample_id", pa.string()),
        ("samples", pa.int32()),
        ("median", pa.float64()),
        ("best", pa.float64()),
        ("of_person", pa.float64()),
    ]
)
"""Of a sample of a person with `samples` of them: the median and the best of its similarities to the others, and the
median of those medians over the person's samples."""


def resemblance(batches: RecordBatches) -> RecordBatches:
    """(person_id, sample_id, embedding), all samples of each person in one task, ordered by person -> OWN, of persons
    with two samples or more."""
    received = list(batches)
    if not received:
        return
    table = pa.Table.from_batches(received)
    persons = np.asarray(table["person_id"].to_numpy(zero_copy_only=False))
    vectors, names = vectors_of(table["embedding"]), table["sample_id"].to_pylist()
    edges = np.flatnonzero(np.concatenate(([True], persons[1:] != persons[:-1], [True])))
    for first, last in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        count = last - first
        if count < 2:
            continue
        own = vectors[first:last].astype(np.float64)
        near = own @ own.T
        others = near[~np.eye(count, dtype=bool)].reshape(count, count - 1)
        median = np.median(others, axis=1)
        columns = [
            pa.array(names[first:last]),
            pa.array(np.full(count, count, np.int32)),
            pa.array(median),
            pa.array(others.max(axis=1)),
            pa.array(np.full(count, np.median(median))),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=OWN)
