"""Which cluster a group is, and what became of the others."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from jobs.people.identity import Change, Shared, inherited

Partition = dict[str, int]


def shared(now: Partition, before: dict[str, str]) -> list[Shared]:
    """now: the group of each face. before: the cluster of each face."""
    counted = Counter((group, before.get(face)) for face, group in now.items())
    first = {}
    for face, group in sorted(now.items(), reverse=True):
        first[group, before.get(face)] = face
    return [Shared(group, cluster, count, first[group, cluster]) for (group, cluster), count in counted.items()]


def step(now: Partition, before: dict[str, str]) -> tuple[dict[str, str], list[Change]]:
    """The cluster of each face now, and what has changed."""
    found = inherited("unknown", shared(now, before), Counter(before.values()))
    return {face: found.cluster_of[group] for face, group in now.items()}, found.changes


def by_cluster(clusters: dict[str, str]) -> dict[str, frozenset[str]]:
    return {name: frozenset(face for face, of in clusters.items() if of == name) for name in set(clusters.values())}


def test_a_story() -> None:
    first, changes = step(dict.fromkeys("abc", 0) | dict.fromkeys("xy", 1), {})
    assert first["a"] == first["b"] == first["c"] != first["x"] == first["y"]
    assert Counter(of.change for of in changes) == {"born": 2}
    grown, changes = step(dict.fromkeys("abcd", 7) | dict.fromkeys("xy", 8), first)
    assert grown["d"] == first["a"]
    assert changes == [Change(first["a"], "grew", None, 3, 4)]
    one, changes = step(dict.fromkeys("abcdxy", 0), grown)
    assert set(one.values()) == {first["a"]}
    assert {(of.change, of.other, of.after) for of in changes} == {("grew", None, 6), ("joined", first["a"], 0)}
    parted, changes = step(dict.fromkeys("abc", 0) | dict.fromkeys("dxy", 1), one)
    assert parted["a"] == first["a"], "of halves the one with the first face goes on"
    assert {of.change for of in changes} == {"shrank", "split"}
    assert next(of.other for of in changes if of.change == "split") == first["a"]
    _, changes = step({"a": 0}, parted)
    assert {of.change for of in changes} == {"shrank", "gone"}


partitions = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 4), min_size=1)


@given(st.lists(partitions, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_ids_over_many_nights(nights: list[Partition], shuffled: object) -> None:
    before: dict[str, str] = {}
    for now in nights:
        clusters, changes = step(now, before)
        groups, old = by_cluster(clusters), by_cluster(before)
        assert {frozenset(f for f in now if now[f] == g) for g in set(now.values())} == set(groups.values())
        for name, faces in old.items():
            if faces in groups.values():
                assert groups[name] == faces, "who stays together keeps the id"
        said = {of.cluster_id: of for of in changes}
        assert len(said) == len(changes)
        assert {name for name in old.keys() | groups.keys() if old.get(name) != groups.get(name)} == set(said)
        for of in changes:
            assert (of.before, of.after) == (len(old.get(of.cluster_id, ())), len(groups.get(of.cluster_id, ())))
            assert of.other is None or of.other in (old.keys() if of.change == "split" else groups.keys())
        rows = shared(now, before)
        shuffled.shuffle(rows)  # type: ignore[attr-defined]
        again = inherited("unknown", rows, Counter(before.values()))
        assert {face: again.cluster_of[group] for face, group in now.items()} == clusters
        assert again.changes == changes
        before = clusters
