"""A list of nearest persons after a change of the gallery is the list a full search gives: ten faces, no table."""

from collections.abc import Mapping

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.matching.incremental import GalleryChange, update
from tests.rows import DAY, unit
from udfs.search.definition import nearest_persons

Array = np.ndarray
Samples = Mapping[str, tuple[str, Array]]
Found = list[tuple[str, str, str, float, int]]

K, FLOOR = 2, 0.2
FACES = {f"f{at}": vector for at, vector in enumerate(unit(10, seed=1, dimension=3))}
VECTORS = unit(12, seed=2, dimension=3)
BEFORE: Samples = {f"s{at}": (f"p{at % 4}", VECTORS[at]) for at in range(8)}

CHANGES: dict[str, Samples] = {
    "nothing": BEFORE,
    "added": {**BEFORE, "s8": ("p8", VECTORS[8]), "s9": ("p0", VECTORS[9])},
    "removed": {name: sample for name, sample in BEFORE.items() if name not in ("s0", "s5")},
    "a person removed": {name: sample for name, sample in BEFORE.items() if sample[0] != "p1"},
    "another vector": {**BEFORE, "s2": ("p2", VECTORS[10])},
    "all at once": {
        **{name: BEFORE[name] for name in ("s1", "s2", "s3")},
        "s3": ("p3", VECTORS[11]),
        "t": BEFORE["s4"],
    },
    "everyone removed": {},
}


def searched(samples: Samples, faces: Mapping[str, Array] = FACES) -> Found:
    """By the definition: face, person, sample, similarity, rank."""
    if not samples or not faces:
        return []
    names = list(faces)
    vectors, persons = np.stack([vector for _, vector in samples.values()]), [person for person, _ in samples.values()]
    nearest = nearest_persons(np.stack(list(faces.values())), vectors, persons, list(samples), K, FLOOR)
    rank: dict[int, int] = {}
    found = []
    for query, person, sample, similarity in nearest.rows():
        rank[query] = rank.get(query, 0) + 1
        found.append((names[query], person, sample, similarity, rank[query]))
    return found


def lists(spark: SparkSession, found: Found) -> DataFrame:
    return spark.createDataFrame(
        found, "face_id string, person_id string, sample_id string, similarity double, rank int"
    )


def described(spark: SparkSession, samples: Samples) -> DataFrame:
    """As `searched_samples` has them."""
    rows = [(name, person, hash(vector.tobytes()), None, None, []) for name, (person, vector) in samples.items()]
    return spark.createDataFrame(
        rows,
        "sample_id string, person_id string, embedding_digest bigint, valid_from date, valid_to date,"
        " labels array<string>",
    )


@pytest.mark.parametrize("change", CHANGES)
def test_an_update_is_what_a_full_search_gives(spark: SparkSession, change: str) -> None:
    now = CHANGES[change]
    looked_for: list[int] = []

    def search(faces: DataFrame, samples: DataFrame) -> DataFrame:
        asked, among = ([row[0] for row in each.collect()] for each in (faces, samples))
        looked_for.append(len(asked) * len(among))
        found = searched({name: now[name] for name in among}, {name: FACES[name] for name in asked})
        return lists(spark, found)

    difference = GalleryChange.between(described(spark, BEFORE), described(spark, now), DAY, [])
    before = searched(BEFORE)
    all_faces = spark.createDataFrame([(name,) for name in FACES], "face_id string")
    updated = update(lists(spark, before), all_faces, difference, K, search)

    again = {row.face_id for row in updated.again.collect()}
    affected = {row.face_id for row in updated.affected.collect()}
    assert not again & affected
    found = [tuple(row) for row in updated.lists.collect()]
    assert {face for face, *_ in found} <= affected
    kept = [row for row in before if row[0] not in again | affected]
    searched_again = searched(now, {name: FACES[name] for name in sorted(again)})
    assert sorted([*kept, *found, *searched_again]) == sorted(searched(now))
    if change == "nothing":
        assert (again, affected) == (set(), set())
    assert sum(looked_for) < len(FACES) * max(1, len(now)), "not everyone is compared with everyone"
