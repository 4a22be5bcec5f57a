"""Samples to packed galleries and faces to candidates, as executors do it, without Spark."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.udfs.search.test_paths import random_unit
from udfs import lake, matching
from udfs.arrow import BatchFunction
from udfs.errors import InputError
from udfs.search.definition import nearest_persons
from udfs.search.index import Index
from udfs.search.packed import Packed, Part
from udfs.search.samples import SampleMatrix

Array = np.ndarray
SAMPLES, FACES = random_unit(1, 300, 16), random_unit(2, 40, 16)
PERSONS = [f"p{row // 3:03}" for row in range(300)]
IDS = [f"s{row:03}" for row in range(300)]


def embeddings(vectors: Array) -> pa.Array:
    return pa.array(vectors.tolist(), pa.list_(pa.float32()))


def samples(rows: range) -> pa.RecordBatch:
    chosen = list(rows)
    return pa.RecordBatch.from_pydict(
        {
            "person_id": [PERSONS[row] for row in chosen],
            "sample_id": [IDS[row] for row in chosen],
            "embedding": embeddings(SAMPLES[chosen]),
            "embedding_digest": pa.array(chosen, pa.int64()),
        }
    )


def faces(vectors: Array = FACES, left_out: dict[int, list[str]] | None = None) -> pa.RecordBatch:
    pairs = pa.array([(left_out or {}).get(row) for row in range(len(vectors))], pa.list_(pa.string()))
    names = pa.array([f"f{row:02}" for row in range(len(vectors))])
    return pa.RecordBatch.from_arrays([names, embeddings(vectors), pairs], ["face_id", "embedding", "left_out"])


def run(function: BatchFunction, *batches: pa.RecordBatch) -> list[dict[str, object]]:
    return [row for batch in function(iter(batches)) for row in batch.to_pylist()]


@pytest.fixture
def packed(tmp_path: Path) -> Packed:
    """Three parts, of which each came in two batches and out of order."""
    root = lake.uri_of(str(tmp_path))
    made = []
    for first in (0, 120, 240):
        last = min(first + 120, 300)
        made += run(
            matching.pack(root, "packed"), samples(range(last - 1, first + 50, -1)), samples(range(first, first + 51))
        )
    for row in made:
        assert row.pop("path") == Index([SampleMatrix.of(SAMPLES, PERSONS, IDS)]).path
    return Packed(root, "packed", tuple(Part(**{**row, "sha256": dict(row["sha256"])}) for row in made))  # type: ignore[arg-type]


def expected(k: int, floor: float, left_out: tuple[tuple[int, str], ...] = ()) -> list[tuple[object, ...]]:
    found = nearest_persons(FACES, SAMPLES, PERSONS, IDS, k, floor, left_out)
    return [(f"f{query:02}", person, sample, similarity) for query, person, sample, similarity in found.rows()]


def values(rows: list[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(row["face_id"], row["person_id"], row["sample_id"], row["similarity"]) for row in rows]


def test_the_whole_gallery_is_searched(packed: Packed) -> None:
    found = run(matching.search_all(packed, 4, 0.1, 1), faces(FACES))
    assert values(found) == expected(4, 0.1)
    ranks = [row["rank"] for row in found]
    assert ranks[0] == 1
    assert max(ranks) == 4  # type: ignore[type-var]
    out = {3: [expected(4, -1)[12][2], "nobody's"], 5: None}
    found = run(matching.search_all(packed, 4, -1, 1), faces(FACES, out))  # type: ignore[arg-type]
    assert values(found) == expected(4, -1, ((3, str(out[3][0])),))  # type: ignore[index]


def test_its_parts_are_searched_one_by_one(packed: Packed) -> None:
    (block,) = run(matching.blocks(100), faces(FACES[:25]), faces(FACES[25:]))
    assert len(block["face_ids"]) == 40  # type: ignore[arg-type]
    pairs = [{"part": number, **block, "face_ids": [f"f{row:02}" for row in range(40)]} for number in range(3)]
    schema = pa.schema([("part", pa.int32()), *matching.BLOCK])
    found = values(run(matching.search_parts(packed, 16, 4, -1, 1), pa.RecordBatch.from_pylist(pairs, schema=schema)))
    assert len(found) == 3 * 40 * 4
    best = sorted(found, key=lambda row: (row[0], -row[3], row[1]))  # type: ignore[operator]
    wanted = expected(4, -1)
    assert [row for at in range(40) for row in best[12 * at : 12 * at + 4]] == wanted


def test_no_faces_no_samples(packed: Packed) -> None:
    assert run(matching.search_all(packed, 4, 0.1, 1)) == []
    assert run(matching.blocks(10)) == []
    assert run(matching.pack("file:///nowhere", "packed")) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, 2.0])
def test_what_is_not_of_unit_length_is_refused_by_its_name(value: float, tmp_path: Path, packed: Packed) -> None:
    wrong = FACES.copy()
    wrong[7] = value
    for search in (matching.search_all(packed, 4, 0.1, 1), matching.blocks(100)):
        with pytest.raises(InputError, match="the embedding of f07 has length"):
            run(search, faces(wrong))
    batch = samples(range(9)).set_column(2, "embedding", embeddings(wrong[:9]))
    with pytest.raises(InputError, match="the embedding of s007 has length"):
        run(matching.pack(lake.uri_of(str(tmp_path)), "other"), batch)
    assert not (tmp_path / "other").exists()


def test_a_damaged_part_is_told(packed: Packed) -> None:
    numbers = pa.RecordBatch.from_pydict({"part": [0, 1, 2]})
    assert [row["damage"] for row in run(matching.check(packed), numbers)] == [None] * 3
    path = lake.local_path(f"{packed.place(packed.parts[1])}/panels.npy")
    assert path is not None
    with Path(path.decode()).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"x")
    told = [row["damage"] for row in run(matching.check(packed), numbers)]
    assert told[0] is None
    assert "panels.npy is not what was written" in str(told[1])
