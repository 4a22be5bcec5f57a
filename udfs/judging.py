"""Arrow in, Arrow out: samples that are to be judged, and who is near them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from udfs import artifacts
from udfs.arrow import BatchFunction, RecordBatches
from udfs.matching import vectors_of

if TYPE_CHECKING:
    from udfs.search.packed import Packed
    from udfs.search.samples import SampleMatrix

Array = np.ndarray

NEAR = pa.schema([("at", pa.int32()), ("own", pa.float64()), ("other_person_id", pa.string()), ("other", pa.float64())])
"""How near the sample with the number `at` is to its own person, and to the nearest other person; null: to none."""
OWN = pa.schema([("at", pa.int32()), ("own", pa.float64())])
"""How near the sample with the number `at` is to its own person."""
PAIR = pa.schema([("later", pa.int32()), ("earlier", pa.int32()), ("similarity", pa.float64())])
"""Two samples by their numbers, and how similar they are."""

BLOCK = 4096
"""Samples whose pairs with all before them are looked for at a time."""


def near_others(vectors: Array, persons: Sequence[str], review: float, left_out: pa.StringArray) -> BatchFunction:
    """(sample_id, person_id, embedding) -> how near the samples that are to be judged are to these (NEAR).

    vectors, persons: the samples to be judged, in the order of their numbers. review: the least similarity to another
    person that counts. left_out: samples that do not count. Each task tells of all that it was given.
    """

    def compare(batches: RecordBatches) -> RecordBatches:
        from udfs.search.judging import Nearness

        near = Nearness(vectors, persons, review)
        for batch in batches:
            known = batch.filter(pc.invert(pc.is_in(batch.column("sample_id"), value_set=left_out)))
            if known.num_rows:
                near.meet(vectors_of(pa.chunked_array([known.column("embedding")])), known.column("person_id"))
        met = np.flatnonzero((near.own > -np.inf) | (near.other > -np.inf))
        columns = (met, near.own[met], np.array(near.other_person, object)[met], near.other[met])
        arrays = [pa.array(column, field.type) for column, field in zip(columns, NEAR, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=NEAR)

    return compare


def own_in(packed: "Packed") -> BatchFunction:
    """(at, person_id, embedding) -> how near each is to the samples of its own person in a packed gallery (OWN).

    Those whose person is not in it are left out.
    """

    def compare(batches: RecordBatches) -> RecordBatches:
        received = list(batches)
        if not received:
            return
        asked = pa.Table.from_batches(received)
        vectors, persons = vectors_of(asked["embedding"]), asked["person_id"].combine_chunks()
        at, own = asked["at"].to_numpy(), np.full(asked.num_rows, -np.inf)
        for matrix in _matrices_between(packed, persons):
            _meet_own(own, vectors, persons, matrix)
        met = np.flatnonzero(own > -np.inf)
        yield pa.RecordBatch.from_arrays([pa.array(at[met]), pa.array(own[met])], schema=OWN)

    return compare


def _matrices_between(packed: "Packed", persons: pa.StringArray) -> "list[SampleMatrix]":
    """The parts of a packed gallery that some persons may be in."""
    first, last = (value.as_py() for value in pc.min_max(persons).values())
    ends = [*(part.first_person for part in packed.parts[1:]), None]
    return [
        part.load(artifacts.near(packed.place(part), part.check))
        for part, end in zip(packed.parts, ends, strict=True)
        if part.first_person <= last and (end is None or end > first)
    ]


def _meet_own(own: Array, vectors: Array, persons: pa.StringArray, matrix: "SampleMatrix") -> None:
    from udfs.search.pairs import similarities_of

    found = pc.index_in(persons, value_set=matrix.persons)
    mine = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    first = found.drop_null().to_numpy()  # of equal values the first: samples stand in the order of their persons
    last = np.searchsorted(matrix.person_of, matrix.person_of[first], "right")
    count = last - first
    theirs = np.arange(count.sum()) + np.repeat(first - (np.cumsum(count) - count), count)
    mine = np.repeat(mine, count)
    np.maximum.at(own, mine, similarities_of(vectors, matrix.vectors, mine, theirs))


def pairs(packed: "Packed", persons: Array, floors: Array) -> BatchFunction:
    """(block) numbers of blocks of BLOCK samples -> pairs of those with samples before them (PAIR): all of one person,
    and those of two persons that are at least as similar as the floor of the later sample.

    packed: the samples, packed in the order of their numbers. persons: int32 (n,), a number for each person. floors:
    float64 (n,).
    """

    def compare(batches: RecordBatches) -> RecordBatches:
        from udfs.search.judging import pairs_before

        parts = [part.load(artifacts.near(packed.place(part), part.check)).vectors for part in packed.parts]
        for batch in batches:
            for block in batch.column("block").to_pylist():
                begin, end = block * BLOCK, min((block + 1) * BLOCK, len(persons))
                for found in pairs_before(parts, persons, floors, begin, end):
                    arrays = [pa.array(column, field.type) for column, field in zip(found, PAIR, strict=True)]
                    yield pa.RecordBatch.from_arrays(arrays, schema=PAIR)

    return compare
