"""Lists of neighbours: brought up to date as if they had been made at once."""

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.grouping.neighbours import Graph, ListFile, kept_of, load, merged, other_faces, reversed_for, save
from udfs.search.index import Index, NearestRows
from udfs.search.samples import SampleMatrix

Array = np.ndarray
K, FLOOR = 3, 0.2


def part(number: int, faces: int, seed: int) -> SampleMatrix:
    random = np.random.default_rng([number, seed])
    vectors = random.integers(-1, 2, size=(faces, 4)) + 1e-3  # few directions: many are equally near
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"{random.integers(1000):03}-{number}-{at:02}" for at in range(faces)]
    return SampleMatrix.of(vectors.astype(np.float32), names, names)


def at_once(parts: list[SampleMatrix], number: int, among: list[int]) -> NearestRows:
    found = Index([parts[each] for each in among]).nearest_rows(parts[number].vectors, K + 1, FLOOR)
    found = found._replace(part=np.asarray(among, np.int32)[found.part])
    return other_faces(found, number, K)


def same(one: NearestRows, other: NearestRows) -> bool:
    return all(left.tolist() == right.tolist() for left, right in zip(one, other, strict=True))


@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.integers(0, 50), st.data())
def test_an_update_gives_what_all_at_once_does(sizes: list[int], seed: int, data: st.DataObject) -> None:
    parts = [part(number, faces, seed) for number, faces in enumerate(sizes)]
    everyone = list(range(len(parts)))
    known = data.draw(st.lists(st.sampled_from(everyone[1:]), unique=True).map(lambda some: [0, *sorted(some)]))
    gone = data.draw(st.lists(st.sampled_from(everyone[1:]), unique=True))
    now = [each for each in everyone if each not in gone]
    before = at_once(parts, 0, known)
    noted = before._replace(part=np.where(np.isin(before.part, gone), -1, before.part))
    kept, again = kept_of(noted, K)
    fresh = [each for each in now if each not in known]
    others = [each for each in now if each in known]

    def names(number: int, rows: Array) -> Array:
        return parts[number].samples.take(rows).to_numpy(zero_copy_only=False)

    added = Index([parts[each] for each in fresh]).nearest_rows(parts[0].vectors, K, FLOOR)
    lists = [added._replace(part=np.asarray(fresh, np.int32)[added.part])]
    if len(again):
        found = Index([parts[each] for each in others]).nearest_rows(parts[0].vectors[again], K + 1, FLOOR)
        found = found._replace(query=again[found.query], part=np.asarray(others, np.int32)[found.part])
        lists.append(other_faces(found, 0, K))
    assert same(merged(kept, lists, K, names), at_once(parts, 0, now))


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 50))
def test_a_list_turned_round_says_who_has_its_faces_for_neighbours(own: int, other: int, seed: int) -> None:
    parts = [part(0, own, seed), part(1, other, seed)]
    turned, full = reversed_for(at_once(parts, 0, [0, 1]), 0, 1, K)
    every = Index([parts[0]]).nearest_rows(parts[1].vectors, own, FLOOR)  # all faces of the first that are near enough
    pairs = {(query, row, near) for query, row, near in zip(*(every.query, every.row, every.similarity), strict=True)}
    found = set(zip(turned.query.tolist(), turned.row.tolist(), turned.similarity.tolist(), strict=True))
    assert found == {pair for pair in pairs if pair[1] not in full}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    parts = [part(number, 9, 1) for number in range(3)]
    found = at_once(parts, 0, [0, 1, 2])
    keys = ["a", "b", "c"]
    file = save("seen/list", found, keys, tmp_path / "list")
    file.check(tmp_path / "list")
    assert same(load(tmp_path / "list", keys), found)
    without = load(tmp_path / "list", ["c", "a"])
    assert without.part.tolist() == [{0: 1, 1: -1, 2: 0}[number] for number in found.part.tolist()]


def test_a_description() -> None:
    graph = Graph("file:///p", "seen", 32, 0.6, {"a": ListFile("seen/list", "sha", 9)})
    assert Graph.from_json(graph.root, graph.name, graph.to_json()) == graph
    assert Graph.from_json(graph.root, graph.name, b'{"rev').lists == {}
    assert graph.for_floor(32, 0.7) == graph
    assert graph.for_floor(32, 0.5).lists == graph.for_floor(16, 0.7).lists == {}
