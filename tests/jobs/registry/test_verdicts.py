"""Samples are judged as `admission.judge` says, by executors that each see a part."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.registry.admission import judge
from jobs.registry.verdicts import Resemblances, verdicts
from udfs import judging, matching
from udfs.matching import PART
from udfs.search.index import Index
from udfs.search.judging import Nearness, pairs_before
from udfs.search.packed import Packed, Part

Array = np.ndarray

REVIEW = 0.5


@st.composite
def enrolments(draw: st.DrawFn) -> tuple[Array, list[str], Array, list[str]]:
    """New and known samples, some of which are the same vector, so that similarities tie."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    count, earlier, dimension = draw(st.integers(1, 14)), draw(st.integers(0, 9)), draw(st.sampled_from([2, 3, 8]))
    vectors = random.normal(size=(count + earlier, dimension))
    alike = random.integers(0, count + earlier, (2, draw(st.integers(0, 6))))
    vectors[alike[0]] = vectors[alike[1]]
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    persons = [f"p{n}" for n in random.integers(0, draw(st.sampled_from([2, 4, 12])), count + earlier)]
    return vectors[earlier:], persons[earlier:], vectors[:earlier], persons[:earlier]


def embeddings(vectors: Array) -> pa.ListArray:
    return pa.array([list(map(float, vector)) for vector in vectors], pa.list_(pa.float32()))


def numbered(persons: list[str]) -> Array:
    return np.unique(np.array(persons, object), return_inverse=True)[1].astype(np.int32)


def known_rows(known: Array, known_persons: list[str]) -> pa.RecordBatch:
    names = [f"s{at:03}" for at in range(len(known))]
    return pa.record_batch([names, known_persons, embeddings(known)], ["sample_id", "person_id", "embedding"])


def of_few(vectors: Array, persons: list[str], known: Array, known_persons: list[str], tasks: int) -> Resemblances:
    """As it is found for one slice: the known ones are compared by tasks that each have some."""
    near = Nearness(vectors, persons, REVIEW)
    if len(known):
        rows = known_rows(known, known_persons)
        compare = judging.near_others(vectors, persons, REVIEW, pa.array([], pa.string()))
        for task in range(tasks):
            mine = rows.take(pa.array(np.arange(task, len(known), tasks)))
            (found,) = compare(iter([mine.slice(0, 2), mine.slice(2)]))
            for row in found.to_pylist():
                near.own[row["at"]] = max(near.own[row["at"]], row["own"])
                if row["other_person_id"] is not None:
                    near.meet_other(row["at"], row["other"], row["other_person_id"])
    floors = np.maximum(near.other, REVIEW)
    later, earlier, similarity = map(
        np.concatenate, zip(*pairs_before([vectors], numbered(persons), floors, 0, len(vectors)), strict=True)
    )
    return Resemblances(near.own, near.other_person, near.other, later, earlier, similarity)


def pack(folder: Path, rows: pa.RecordBatch, edges: list[str]) -> Packed:
    """Samples in parts that begin with these persons."""
    packing = matching.pack(f"file://{folder}", "packed")
    digests = pa.array(range(rows.num_rows), pa.int64())
    rows = pa.record_batch([*rows.columns, digests], [*rows.schema.names, "embedding_digest"])
    of_part = [sum(edge <= person for edge in edges) for person in rows.column("person_id").to_pylist()]
    made = []
    for part in sorted(set(of_part)):
        mine = rows.take(pa.array(np.flatnonzero(np.array(of_part) == part)))
        ((row,),) = (batch.to_pylist() for batch in packing(iter([mine])))
        row.pop("path")
        made.append(Part(**{**row, "sha256": dict(row["sha256"])}))
    assert {field.name for field in PART} - {"path"} == set(vars(made[0])) - {"gone"}
    return Packed(f"file://{folder}", "packed", tuple(made))


def of_many(vectors: Array, persons: list[str], known: Array, known_persons: list[str], folder: Path) -> Resemblances:
    """As it is found for many: the known ones and the new ones are packed."""
    own, other = np.full((2, len(vectors)), -np.inf)
    other_person: list[str | None] = [None] * len(vectors)
    at = pa.array(np.arange(len(vectors), dtype=np.int32))
    if len(known):
        packed = pack(folder / "known", known_rows(known, known_persons), ["p1", "p3"])
        matrices = [part.load(folder / "known" / part.name) for part in packed.parts]
        for row, person, _, score in Index(matrices).nearest(vectors, 2, REVIEW).rows():
            if person != persons[row] and other_person[row] is None:
                other[row], other_person[row] = score, person
        asked = pa.record_batch([at, pa.array(persons), embeddings(vectors)], ["at", "person_id", "embedding"])
        for batch in judging.own_in(packed)(iter([asked])):
            own[batch.column("at").to_numpy()] = batch.column("own").to_numpy()
    names = [f"{number:010}" for number in range(len(vectors))]
    rows = pa.record_batch([names, names, embeddings(vectors)], ["sample_id", "person_id", "embedding"])
    packed = pack(folder / "new", rows, [names[len(names) // 2]] if len(names) > 1 else [])
    floors = np.maximum(other, REVIEW)
    blocks = iter([pa.record_batch([pa.array([0], pa.int32())], ["block"])])
    found = pa.Table.from_batches(judging.pairs(packed, numbered(persons), floors)(blocks), judging.PAIR)
    pairs = (found[name].to_numpy() for name in ("later", "earlier", "similarity"))
    return Resemblances(own, other_person, other, *pairs)


@settings(max_examples=200)
@given(enrolments(), st.integers(1, 4))
def test_what_tasks_find_gives_the_verdicts_of_the_rule(
    enrolment: tuple[Array, list[str], Array, list[str]], tasks: int
) -> None:
    vectors, persons, known, known_persons = enrolment
    assert verdicts(persons, of_few(*enrolment, tasks)) == judge(vectors, persons, known, known_persons, REVIEW)


@settings(max_examples=60)
@given(enrolments())
def test_what_packed_galleries_find_gives_the_verdicts_of_the_rule(
    enrolment: tuple[Array, list[str], Array, list[str]],
) -> None:
    vectors, persons, known, known_persons = enrolment
    with TemporaryDirectory() as folder:
        found = of_many(*enrolment, Path(folder))
    assert verdicts(persons, found) == judge(vectors, persons, known, known_persons, REVIEW)


def test_samples_that_are_judged_themselves_do_not_count_as_known() -> None:
    one = np.array([[1, 0]], np.float32)
    compare = judging.near_others(one, ["a"], REVIEW, pa.array(["s000"]))
    rows = known_rows(np.array([[1, 0], [0.8, 0.6]], np.float32), ["a", "b"])
    (found,) = compare(iter([rows]))
    (near,) = found.to_pylist()
    assert near["own"] == -np.inf
    assert (near["other_person_id"], near["at"]) == ("b", 0)


def test_pairs_over_the_edges_of_blocks_and_parts() -> None:
    """All pairs of a sample and one before it that a plain loop finds."""
    random = np.random.default_rng(0)
    vectors = random.normal(size=(2_300, 4))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    persons, floors = random.integers(0, 700, 2_300).astype(np.int32), random.uniform(0.97, 1.0, 2_300)
    parts = [vectors[:700], vectors[700:701], vectors[701:]]
    found = [
        set(zip(*(column.tolist() for column in batch[:2]), strict=True))
        for begin, end in ((0, 1_100), (1_100, 2_300))
        for batch in pairs_before(parts, persons, floors, begin, end)
    ]
    product = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    wanted = (product >= floors[:, None]) | (persons[:, None] == persons[None, :])
    expected = set(zip(*(column.tolist() for column in np.nonzero(np.tril(wanted, -1))), strict=True))
    assert set().union(*found) == expected
    assert sum(map(len, found)) == len(expected)
