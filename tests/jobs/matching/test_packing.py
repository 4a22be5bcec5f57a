"""A gallery that changes a little: what is packed of it stays, and what is found is what its definition says."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.matching import packing
from jobs.matching.nearest import nearest
from jobs.run.context import Context
from tests.rows import NOW, Values, frame, put_samples, sample_rows, unit
from tests.support import MakeContext
from udfs import lake
from udfs.search.definition import nearest_persons
from udfs.search.packed import Packed

FACES, VECTORS, OTHER = unit(6, seed=1), unit(40, seed=2), unit(40, seed=3)
PERSONS = [f"p{at % 15:02}" for at in range(40)]
SAMPLES = sample_rows(VECTORS, PERSONS)


@pytest.fixture
def context(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(packing, "SAMPLES_A_PART", 12)
    monkeypatch.setattr(packing, "LARGEST_CHANGE", 0.3)
    made = make_context()
    put_samples(made, VECTORS[:1], PERSONS[:1])  # packed galleries lie beside the table
    return made


def pack(context: Context, rows: list[Values], scope: str | None = "g") -> Packed:
    gallery: DataFrame = frame(context.spark, "gallery", rows)
    packed, _ = packing.pack(context, gallery, packing.digest_of_packed(gallery), scope=scope)
    assert packed.rows == len(rows)
    return packed


def names(packed: Packed) -> set[str]:
    return {part.name for part in packed.parts}


def found(context: Context, packed: Packed) -> list[tuple[object, ...]]:
    faces = context.spark.createDataFrame(
        [(f"f{at}", vector.tolist(), None) for at, vector in enumerate(FACES)],
        "face_id string, embedding array<float>, left_out array<string>",
    )
    rows = nearest(faces, len(FACES), packed, 8, 4, -1.0, "gallery").orderBy("face_id", "rank")
    return [tuple(row) for row in rows.select("face_id", "person_id", "sample_id", "similarity").collect()]


def wanted(rows: list[Values]) -> list[tuple[object, ...]]:
    persons, samples = ([str(row[name]) for row in rows] for name in ("person_id", "sample_id"))
    vectors = np.array([row["embedding"] for row in rows], np.float32)
    definition = nearest_persons(FACES, vectors, persons, samples, 4, -1.0)
    return [(f"f{query}", *rest) for query, *rest in definition.rows()]


def test_what_did_not_change_is_not_packed_again(context: Context) -> None:
    whole = pack(context, SAMPLES)
    assert len(whole.parts) > 1
    added = [*SAMPLES[1:], {**SAMPLES[0], "embedding": OTHER[0].tolist()}, *sample_rows(OTHER[1:3], ["p07", "new"])]
    extended = pack(context, added)
    assert names(whole) < names(extended)
    assert sum(len(part.gone) for part in extended.parts) == sum(person in ("p00", "p07") for person in PERSONS)
    assert found(context, extended) == wanted(added)
    # The next change is one of the gallery as it was packed as a whole, not of what was packed beside.
    fewer = [row for row in SAMPLES if row["person_id"] != "p03"]
    lessened = pack(context, fewer)
    assert names(lessened) == names(whole)
    assert found(context, lessened) == wanted(fewer)
    assert names(pack(context, added)) == names(extended), "it is found as it is, and checked"


def test_embeddings_of_those_who_were_enrolled_before_are_not_read(context: Context) -> None:
    later = [NOW + timedelta(days=1, microseconds=at) for at in range(3)]
    rows = [*SAMPLES[1:6], *[{**SAMPLES[6 + at], "enrolled_at": when} for at, when in enumerate(later)]]
    context.tables.append("gallery", frame(context.spark, "gallery", rows))
    some = context.tables.read("gallery").where(F.col("person_id").isin("p07", "p08"))
    less = packing.without_earlier(some)
    assert sorted(less.collect()) == sorted(some.collect())
    assert {row.enrolled_at.microsecond for row in less.collect()} == {1, 2}
    pushed = less._jdf.queryExecution().executedPlan().toString()
    assert "GreaterThanOrEqual(enrolled_at,2026" in pushed
    assert packing.without_earlier(some.limit(0)).collect() == []


@pytest.mark.slow
def test_a_gallery_of_another_scope_or_with_many_changes_is_packed_as_a_whole(context: Context) -> None:
    whole = pack(context, SAMPLES)
    for rows, scope in ((SAMPLES[1:], "h"), (SAMPLES[1:], None), (SAMPLES[:25], "g")):
        made = pack(context, rows, scope)
        assert not names(made) & names(whole)
        packing.sweep(context, -1)
        whole = pack(context, SAMPLES)


def test_a_damaged_part_is_not_extended(context: Context) -> None:
    whole = pack(context, SAMPLES)
    path = lake.local_path(f"{whole.place(whole.parts[0])}/vectors.npy")
    assert path is not None
    Path(path.decode()).unlink()
    again = pack(context, SAMPLES[1:])
    assert not names(again) & names(whole)
    assert found(context, again) == wanted(SAMPLES[1:])


@pytest.mark.slow
def test_what_another_gallery_needs_is_not_swept(context: Context) -> None:
    whole = pack(context, SAMPLES)
    extended = pack(context, SAMPLES[1:])
    kept = {folder for packed in (whole, extended) for folder in packed.folders}
    root = Path(lake.local_path(packing.place(context)).decode())  # type: ignore[union-attr]
    for name in (whole.name, "older"):
        (root / name).mkdir(exist_ok=True)
        (root / name / "packed.json").touch()
        os.utime(root / name / "packed.json", (0, 0))
    assert names(pack(context, SAMPLES[1:])) == names(extended), "which says that both are in use"
    assert packing.sweep(context, 3600) == ["older"]
    assert kept == {path.name for path in root.iterdir()}
