"""Faces are grouped as the definition says, whatever the order in which they came."""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from pyspark.sql import functions as F

from jobs.cluster import cluster
from jobs.matching import seen
from jobs.people import linking, neighbours
from jobs.run.context import Context
from tests.rows import CONTRACT, DAY, NOW, normalised, put, put_contract, put_faces
from tests.support import MakeContext
from udfs.errors import InputError
from udfs.grouping.definition import groups
from udfs.vision.contract import settings_id

pytestmark = pytest.mark.slow

Array = np.ndarray

DAYS = [DAY + timedelta(days=number) for number in range(3)]
THRESHOLD = 0.6
RATES = [{"similarity": 0.0, "rate": 0.5}, {"similarity": THRESHOLD, "rate": 1e-3}, {"similarity": 1.0, "rate": 1e-6}]


@pytest.fixture
def context(make_context: MakeContext, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(seen, "FACES_A_PART", 9)
    context = make_context("tables", "cluster.minimum_sharpness=0")
    put_contract(context)
    put(context, "thresholds", {"threshold_id": "t", "run_id": "r", "stranger_rates": RATES})
    return context


def photographed(seed: int, persons: int = 6, faces: int = 20) -> Array:
    """Faces of some persons, float32 (n, 8)."""
    random = np.random.default_rng(seed)
    of = normalised(np.random.default_rng(99).normal(size=(persons, 8)))[random.integers(persons, size=faces)]
    return normalised(of + 0.17 * random.normal(size=of.shape))


def group(context: Context, **asked: object) -> dict[str, int]:
    return cluster(context, **{"false_link_rate": 1e-3, **asked})


def partition(context: Context, grouping: str = "unknown") -> set[frozenset[str]]:
    rows = context.tables.read("cluster_members").where(F.col("grouping") == grouping)
    return {
        frozenset(row.faces)
        for row in rows.groupBy("cluster_id").agg(F.collect_list("face_id").alias("faces")).collect()
    }


def clusters(context: Context) -> dict[frozenset[str], str]:
    rows = context.tables.read("cluster_members").groupBy("cluster_id").agg(F.collect_list("face_id").alias("faces"))
    return {frozenset(row.faces): row.cluster_id for row in rows.collect()}


def named(nights: dict[date, Array], apart: int) -> dict[str, Array]:
    """Faces by their ids; apart: how far the numbers of images of one date are from those of the next."""
    return {
        f"f{at:02}-{day}": vector
        for number, (day, vectors) in enumerate(sorted(nights.items()))
        for at, vector in enumerate(vectors, number * apart)
    }


def defined(nights: dict[date, Array], apart: int = 0) -> set[frozenset[str]]:
    """What the definition says. Faces with the same number are of the same image."""
    of_face = named(nights, apart)
    names = sorted(of_face)
    images = [name[:3] for name in names]
    pairs = [(one, other) for one in range(len(names)) for other in range(one) if images[one] == images[other]]
    label = groups(np.array([of_face[name] for name in names]), THRESHOLD, apart=pairs)
    return {frozenset(np.array(names)[label == number].tolist()) for number in range(label.max() + 1)}


def put_nights(context: Context, nights: dict[date, Array], days: Sequence[date], apart: int = 0) -> None:
    for day in days:
        put_faces(context, nights[day], day, first=sorted(nights).index(day) * apart)


def test_two_nights(context: Context) -> None:
    nights = {day: photographed(seed) for seed, day in enumerate(DAYS[:2])}
    put_nights(context, nights, [DAYS[0]])
    counts = group(context)
    assert counts["born"] == counts["clusters"]
    put_nights(context, nights, [DAYS[1]])
    counts = group(context)
    assert partition(context) == defined(nights)
    assert counts["grew"] > 0
    rows = context.tables.read("clusters").collect()
    assert {row.cluster_id: row.faces for row in rows} == {
        name: len(faces) for faces, name in clusters(context).items()
    }


def test_a_function_of_the_set_of_faces(context: Context, make_context: MakeContext) -> None:
    nights = {day: photographed(seed) for seed, day in enumerate(DAYS)}
    for day in DAYS:
        put_nights(context, nights, [day])
        group(context)
    assert partition(context) == defined(nights)
    assert 6 <= len(partition(context)) < 30

    at_once = make_context("at once", "cluster.minimum_sharpness=0")
    put_contract(at_once)
    put(at_once, "thresholds", {"threshold_id": "t", "run_id": "r", "stranger_rates": RATES})
    put_nights(at_once, nights, DAYS[::-1])
    counts = group(at_once)
    assert partition(at_once) == partition(context)
    assert counts["born"] == counts["clusters"] == len(partition(context))

    before = clusters(context)
    again = group(context)
    assert clusters(context) == before
    assert not {"born", "grew", "joined", "split", "gone", "shrank"} & set(again)

    context.tables.delete_where("faces", F.col("run_date") == F.lit(DAYS[1]))
    group(context)
    assert partition(context) == defined({day: nights[day] for day in DAYS if day != DAYS[1]})


@pytest.mark.parametrize(("k", "largest"), [(2, 4096), (3, 5)])
def test_with_few_neighbours_and_small_pieces(
    context: Context, monkeypatch: pytest.MonkeyPatch, k: int, largest: int
) -> None:
    """Faces of which the graph has not all neighbours are compared as groups: nobody is lost."""
    monkeypatch.setattr(neighbours, "K", k)
    monkeypatch.setattr(linking, "LARGEST_PIECE", largest)
    random = np.random.default_rng(1)
    far_apart = np.eye(8, dtype=np.float32)[:3]
    nights = {
        day: normalised(far_apart[random.integers(3, size=15)] + 0.05 * random.normal(size=(15, 8))) for day in DAYS
    }
    for day in DAYS:
        put_nights(context, nights, [day], apart=15)
        group(context)
    assert partition(context) == defined(nights, apart=15)


def test_what_people_say_counts(context: Context) -> None:
    nights = {DAY: photographed(1)}
    put_nights(context, nights, [DAY])
    group(context)
    before = clusters(context)
    one, other, *_ = sorted(before, key=lambda faces: (-len(faces), min(faces)))
    images = {face: face[:3] for face in one | other}
    assert len(set(images.values())) == len(images)
    cluster(context, merged=(before[one], before[other]), decided_by="ann")
    cluster(context, names=(f"{before[one]}=the man with the hat",), decided_by="ann")
    group(context)
    after = clusters(context)
    assert after[one | other] == before[one], "the larger one goes on"
    changes = {
        row.cluster_id: row for row in context.tables.read("cluster_changes").where("change = 'joined'").collect()
    }
    assert changes[before[other]].other_cluster_id == before[one]

    some = tuple(sorted(other))
    cluster(context, split=before[one], faces=some, decided_by="ben", reason="her sister")
    group(context)
    parted = clusters(context)
    assert parted[one] == before[one]
    assert not any(faces & one and faces & other for faces in parted), "what was said later counts"


def test_those_that_are_registered_are_left_out(context: Context) -> None:
    nights = {DAY: photographed(1)}
    put_nights(context, nights, [DAY])
    matched = {"decision": "match", "person_id": "p", "sample_id": "s", "similarity": 0.9, "score": 0.9}
    put(context, "identifications", *({"face_id": f"f{at:02}-{DAY}", "image_id": "i", **matched} for at in range(5)))
    group(context)
    everyone = {face for faces in partition(context) for face in faces}
    assert everyone == {f"f{at:02}-{DAY}" for at in range(5, 20)}
    group(context, known_too=True, grouping="everyone")
    assert partition(context, "everyone") == defined(nights)
    assert {face for faces in partition(context) for face in faces} == everyone, "groupings do not meet"
    put(
        context,
        "reviews",
        {
            "review_id": "r",
            "face_id": f"f00-{DAY}",
            "decision": "reject",
            "reviewed_by": "a",
            "reviewed_at": NOW,
            "signatures": 1,
        },
    )
    group(context)
    assert f"f00-{DAY}" in {face for faces in partition(context) for face in faces}


def test_small_faces_join_and_found_nothing(context: Context) -> None:
    vectors = photographed(2)
    sizes = [60.0 if at % 2 else 20.0 for at in range(20)]
    put_faces(context, vectors, DAY, sizes=sizes)
    group(context)
    founders = {f"f{at:02}-{DAY}" for at in range(20) if at % 2}
    found = partition(context)
    assert all(faces & founders for faces in found)
    names = sorted(founders)
    label = groups(np.array([vectors[int(name[1:3])] for name in names]), THRESHOLD)
    assert {faces & founders for faces in found} == {
        frozenset(np.array(names)[label == number].tolist()) for number in range(label.max() + 1)
    }
    assert any(faces - founders for faces in found)


def test_each_face_is_grouped_once(context: Context) -> None:
    """Of a date whose faces were found under two limits those of the configured ones."""
    configured = settings_id(context.settings.spec())
    put_faces(context, photographed(1), DAY, limits="other")
    put_faces(context, photographed(2), DAYS[1], limits="other")
    group(context)
    assert {face for faces in partition(context) for face in faces} == {
        f"f{at:02}-{day}other" for at in range(20) for day in DAYS[:2]
    }
    put_faces(context, photographed(1), DAY, limits=configured)
    group(context)
    assert {face for faces in partition(context) for face in faces} == {
        f"f{at:02}-{day}{limits}" for at in range(20) for day, limits in ((DAY, configured), (DAYS[1], "other"))
    }


def test_misuse(context: Context) -> None:
    with pytest.raises(InputError, match="no table 'faces'"):
        group(context)
    put_nights(context, {DAY: photographed(1)}, [DAY])
    with pytest.raises(InputError, match="--grouping NAME"):
        group(context, source="gate")
    group(context)
    (one, *_), anyone = clusters(context).values(), CONTRACT
    for asked, said in (
        ({"merged": (one,)}, "two clusters"),
        ({"merged": (one, "nosuch")}, "no cluster 'nosuch'"),
        ({"split": one}, "--face ID"),
        ({"split": one, "faces": ("nosuch",)}, "face nosuch is not in cluster"),
        ({"names": (one,)}, "CLUSTER=NAME"),
        ({}, "say what to do"),
    ):
        with pytest.raises(InputError, match=said):
            cluster(context, decided_by=anyone, **asked)
    with pytest.raises(InputError, match="--by NAME"):
        cluster(context, names=(f"{one}=x",))
