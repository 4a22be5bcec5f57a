"""Pieces that are as they were are told from others."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.grouping.known_pieces import Pieces

Array = np.ndarray
PARTS = {"a": 3, "b": 4, "c": 2, "d": 3}
"""Keys of parts, and how many faces each has."""

faces_of = {f"{key}{row}": (key, row) for key, rows in PARTS.items() for row in range(rows)}
partitions = st.dictionaries(st.sampled_from(sorted(faces_of)), st.tuples(st.integers(0, 3), st.booleans()), min_size=1)


def pieces(keys: list[str], drawn: dict[str, tuple[int, bool]], question: str = "q") -> tuple[Pieces, dict[str, int]]:
    """drawn: the piece of each face, and whether it joins one. The group of a piece is its first founder."""
    begins = np.cumsum([0, *(PARTS[key] for key in keys)])
    number = {name: int(begins[keys.index(key)] + row) for name, (key, row) in faces_of.items() if key in keys}
    piece, near, group = (np.full(begins[-1], -1, np.int64) for _ in range(3))
    for of in {of for name, (of, _) in drawn.items() if name in number}:
        members = sorted(name for name in drawn if name in number and drawn[name][0] == of)
        founders = [name for name in members if not drawn[name][1]] or members[:1]
        for name in members:
            piece[number[name]] = number[members[-1]]
            group[number[name]] = number[founders[0]]
            near[number[name]] = -1 if name in founders else number[founders[-1]]
    return Pieces(question, keys, begins, piece, near, group), number


@given(
    partitions, partitions, st.permutations(sorted(PARTS)), st.permutations(sorted(PARTS)), st.integers(1, 4),
    st.integers(1, 4),
)  # fmt: skip
def test_what_is_the_same_has_the_same_faces_and_group(
    before: dict, now: dict, keys: list[str], later: list[str], old: int, new: int
) -> None:
    known, _ = pieces(keys[:old], before)
    found, number = pieces(later[:new], now)
    name_of = {at: name for name, at in number.items()}
    same, group = found.same_as(Pieces.from_bytes(known.to_bytes()))
    assert [found.group[at] for at in same] == group.tolist()
    there = {name for name, (key, _) in faces_of.items() if key in keys[:old]}

    def described(drawn: dict, of: int, names: set[str]) -> set[tuple[str, bool, str]]:
        members = sorted(name for name in drawn if name in names and drawn[name][0] == of)
        founders = [name for name in members if not drawn[name][1]] or members[:1]
        return {(name, name not in founders, founders[-1]) for name in members}

    every_old = [described(before, of, there) for of in range(4)]
    expected = {
        name
        for of in range(4)
        for name, *_ in described(now, of, set(number))
        if described(now, of, set(number)) in every_old
    }
    assert {name_of[at] for at in same.tolist()} == expected


def test_another_question_and_what_is_not_whole() -> None:
    known, _ = pieces(["a"], {"a0": (0, False), "a1": (0, False)})
    other, _ = pieces(["a"], {"a0": (0, False), "a1": (0, False)}, "other")
    assert len(known.same_as(known)[0]) == 2
    assert len(other.same_as(known)[0]) == len(known.same_as(None)[0]) == 0
    content = known.to_bytes()
    assert Pieces.from_bytes(content[:-20]) is None
    assert Pieces.from_bytes(b"not a file") is Pieces.from_bytes(None) is None
