"""What people have said about faces: which show one person, and which do not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from udfs.grouped import Apart


@dataclass(frozen=True)
class Statement:
    """One thing that somebody has said. together: that `faces` show one person; else that none of them shows the person
    of one of `others`."""

    said_at: datetime
    statement_id: str
    together: bool
    faces: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Statements:
    """All that was said. Where two statements contradict each other the later one counts."""

    said: tuple[Statement, ...] = ()

    @property
    def faces(self) -> set[str]:
        """All faces that something was said about."""
        return {face for of in self.said for face in (*of.faces, *of.others)}

    def resolved(self, there: Iterable[str]) -> tuple[dict[str, str], list[tuple[frozenset[str], frozenset[str]]], int]:
        """Of faces that are one from the start, the first of them; faces that are apart from others; and how many were
        said to be one with faces that they were later said to be apart from.

        there: the faces that there are; nothing is heard of others.
        """
        among = set(there)
        sets: dict[str, set[str]] = {}
        apart: list[tuple[frozenset[str], frozenset[str]]] = []
        torn = 0
        for of in sorted(self.said, key=lambda of: (of.said_at, of.statement_id), reverse=True):
            faces = sorted(among.intersection(of.faces))
            if of.together:
                torn += _put_together(faces, sets, apart)
            else:
                apart.append((frozenset(faces), frozenset(among.intersection(of.others))))
        return {face: min(of) for face, of in sets.items()}, apart, torn

    def by_number(self, numbers: Mapping[str, int]) -> tuple[dict[int, int], list[Apart]]:
        """The same, with the numbers of the faces that there are. The first of faces that are one is the one with the
        lowest number."""
        first, apart, _ = self.resolved(numbers)
        lowest: dict[str, int] = {}
        for face, of in first.items():
            lowest[of] = min(lowest.get(of, numbers[face]), numbers[face])
        same = {numbers[face]: lowest[of] for face, of in first.items()}
        return same, [
            (frozenset(numbers[face] for face in ones), frozenset(numbers[face] for face in others))
            for ones, others in apart
        ]


def _put_together(
    faces: list[str], sets: dict[str, set[str]], apart: list[tuple[frozenset[str], frozenset[str]]]
) -> int:
    """Make faces one, as far as nothing that was said later is against it; returns how many are left apart."""
    begun: list[set[str]] = []
    for face in faces:
        own = sets.setdefault(face, {face})
        fitting = next((of for of in begun if of is own or not _are_apart(of, own, apart)), None)
        if fitting is None:
            begun.append(own)
        elif fitting is not own:
            fitting |= own
            for each in own:
                sets[each] = fitting
            begun = [of for of in begun if of is not own]
    return len(begun) - 1 if begun else 0


def _are_apart(some: set[str], others: set[str], apart: list[tuple[frozenset[str], frozenset[str]]]) -> bool:
    return any((some & ones and others & rest) or (others & ones and some & rest) for ones, rest in apart)
