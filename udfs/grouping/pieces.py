"""The groups of one piece of the graph: faces that may be of one person, and those too poor to found a group."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

import numpy as np

from udfs.grouping.linkage import linked
from udfs.search.pairs import similarities

Array = np.ndarray

ALONE = -1


def group_piece(
    ids: Array,
    images: Array,
    vectors: Array,
    threshold: float,
    items: Array,
    apart: Iterable[tuple[int, int]],
    near: Array,
) -> Array:
    """The group of each face, as the row of its first face by id; ALONE for one that founds none and joins none.

    Faces of one image are in different groups, unless they are one from the start. A face that founds no group joins
    that of the founder it is most similar to, the most similar face first, if no face of its image is there.

    ids, images: of each face, text (n,), in any order. vectors: float32 (n, d), unit length. items: int64 (n,), faces
    with the same number are one from the start. apart: rows that are never in one group. near: int64 (n,), of a face
    that founds no group the row of the founder nearest to it; -1: it founds one.
    """
    founders = np.flatnonzero(near < 0)
    founders = founders[np.argsort(ids[founders])]
    place = {row: at for at, row in enumerate(founders.tolist())}
    items = items[founders]
    kept_apart = {(place[one], place[other]) for one, other in apart if one in place and other in place}
    kept_apart |= set(_of_one_image(images[founders]))
    pairs = np.array([(one, other) for one, other in kept_apart if items[one] != items[other]], np.int64)
    label = linked(vectors[founders], threshold, items, pairs.reshape(-1, 2))
    _, first = np.unique(label, return_index=True)
    group = np.full(len(ids), ALONE, np.int64)
    group[founders] = founders[first][label]
    return _with_others(group, ids, images, vectors, near)


def _of_one_image(images: Array) -> Iterable[tuple[int, int]]:
    rows = defaultdict(list)
    for row, image in enumerate(images.tolist()):
        rows[image].append(row)
    for of_image in rows.values():
        yield from combinations(of_image, 2)


def _with_others(group: Array, ids: Array, images: Array, vectors: Array, near: Array) -> Array:
    others = np.flatnonzero(near >= 0)
    if not len(others):
        return group
    similar = similarities(vectors, others, near[others])
    there = set(zip(group.tolist(), images.tolist(), strict=True))
    for at in np.lexsort((ids[others].astype(str), -similar)).tolist():
        row = int(others[at])
        wanted = int(group[near[row]])
        if (wanted, images[row]) not in there:
            group[row] = wanted
            there.add((wanted, images[row]))
    return group
