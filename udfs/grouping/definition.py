"""The grouping as Rollcall defines it, as plainly as it can be written: what the faster way must find."""

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from udfs.search.similarity import similarity

Array = np.ndarray


def groups(
    vectors: Array,
    threshold: float,
    together: Iterable[tuple[int, int]] = (),
    apart: Iterable[tuple[int, int]] = (),
) -> Array:
    """Average linkage (Sokal and Michener 1958): the two groups whose faces are most similar on average are joined, as
    long as that average is at least `threshold`.

    Of pairs of groups that are equally similar, the first in the order of their first faces is joined.

    vectors: float32 (n, d), unit length, in the order of the faces' ids. together: pairs of one group from the start.
    apart: pairs that are never in one group, unless they are so from the start. Returns: int64 (n,), the number of each
    face's group, counted in the order of their first faces.
    """
    members = _from_the_start(len(vectors), together)
    apart = list(apart)
    sums = {
        (one, other): _sum(vectors, members[one], members[other], apart)
        for one, other in combinations(sorted(members), 2)
    }
    while sums:
        average = {pair: total / (len(members[pair[0]]) * len(members[pair[1]])) for pair, total in sums.items()}
        nearest = min(average, key=lambda pair: (-average[pair], pair))
        if average[nearest] < threshold:
            break
        one, other = nearest
        members[one] += members.pop(other)
        del sums[nearest]
        for third in members:
            if third != one:
                sums[min(one, third), max(one, third)] += sums.pop((min(other, third), max(other, third)))
    label = np.empty(len(vectors), np.int64)
    for number, first in enumerate(sorted(members)):
        label[members[first]] = number
    return label


def _from_the_start(faces: int, together: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """The faces of each group, by its first face."""
    members = {face: [face] for face in range(faces)}
    first = list(range(faces))
    for pair in together:
        one, other = sorted(first[face] for face in pair)
        if one != other:
            members[one] += members.pop(other)
            first = [one if of == other else of for of in first]
    return {one: sorted(faces) for one, faces in members.items()}


def _sum(vectors: Array, ones: list[int], others: list[int], apart: list[tuple[int, int]]) -> float:
    """Of the similarities of all pairs; below every threshold where a pair is to stay apart."""
    if any((one in ones and other in others) or (one in others and other in ones) for one, other in apart):
        return -np.inf
    return sum(float(similarity(vectors[one][None], vectors[other][None])[0]) for one in ones for other in others)
