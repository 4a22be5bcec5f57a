"""Groups of today and clusters of before: which cluster each group is, and what became of the others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.catalog import CLUSTER_STATES
from udfs.ids import stable_id

BORN, GREW, SHRANK, JOINED, SPLIT, GONE = CLUSTER_STATES


@dataclass(frozen=True)
class Shared:
    """Faces that a group has in common with a cluster of before, or, where that is None, with none.

    group: its number. faces: how many. first: the first of them by id.
    """

    group: int
    cluster_id: str | None
    faces: int
    first: str


@dataclass(frozen=True)
class Change:
    """What became of a cluster. other: the cluster that it has joined, or was split from. before, after: its faces."""

    cluster_id: str
    change: str
    other: str | None
    before: int
    after: int


@dataclass(frozen=True)
class Inheritance:
    """cluster_of: of each group. changes: of the clusters that are not as they were, sorted."""

    cluster_of: dict[int, str]
    changes: list[Change]


def inherited(grouping: str, shared: Iterable[Shared], before: Mapping[str, int]) -> Inheritance:
    """Each cluster of before goes on as the group that has most of its faces; of several clusters that would go on as
    one group, the one with the most faces in it does, and the others have joined it. Among equals the first face by id
    decides. A group as which none goes on is a new cluster, named after its first face.

    before: the clusters there were, and how many faces each had.
    """
    shared = list(shared)
    of_group: dict[int, list[Shared]] = {}
    of_cluster: dict[str, list[Shared]] = {}
    for part in shared:
        of_group.setdefault(part.group, []).append(part)
        if part.cluster_id is not None:
            of_cluster.setdefault(part.cluster_id, []).append(part)
    heir = {cluster: min(parts, key=_foremost).group for cluster, parts in of_cluster.items()}
    cluster_of: dict[int, str] = {}
    joined: dict[str, int] = {}
    for group, parts in of_group.items():
        claims = sorted((part for part in parts if part.cluster_id and heir[part.cluster_id] == group), key=_foremost)
        if claims:
            cluster_of[group] = str(claims[0].cluster_id)
            joined |= {str(part.cluster_id): group for part in claims[1:]}
    taken = set(before)
    for group in sorted(of_group.keys() - cluster_of.keys(), key=lambda group: min(p.first for p in of_group[group])):
        cluster_of[group] = _new_id(grouping, min(part.first for part in of_group[group]), taken)
        taken.add(cluster_of[group])
    changes = [_change(cluster_of[group], parts, before) for group, parts in of_group.items()]
    changes += [Change(cluster, JOINED, cluster_of[group], before[cluster], 0) for cluster, group in joined.items()]
    changes += [Change(cluster, GONE, None, before[cluster], 0) for cluster in before.keys() - of_cluster.keys()]
    return Inheritance(cluster_of, sorted((of for of in changes if of is not None), key=lambda of: of.cluster_id))


def _foremost(part: Shared) -> tuple[int, str]:
    return -part.faces, part.first


def _new_id(grouping: str, first: str, taken: set[str]) -> str:
    attempt = 0
    while (name := stable_id("cluster", grouping, first, attempt)) in taken:
        attempt += 1
    return name


def _change(cluster_id: str, parts: list[Shared], before: Mapping[str, int]) -> Change | None:
    """Of a cluster that there is now."""
    after = sum(part.faces for part in parts)
    if cluster_id not in before:
        old = sorted((part for part in parts if part.cluster_id is not None), key=_foremost)
        return Change(cluster_id, SPLIT if old else BORN, old[0].cluster_id if old else None, 0, after)
    kept = sum(part.faces for part in parts if part.cluster_id == cluster_id)
    if (kept, after) == (before[cluster_id], before[cluster_id]):
        return None
    return Change(cluster_id, GREW if after > kept else SHRANK, None, before[cluster_id], after)
