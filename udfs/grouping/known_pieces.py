"""The groups of the pieces that were found last, so that a piece that is the same is not grouped again."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray

_NUMBERS = ("begins", "piece", "near", "group")


@dataclass(frozen=True)
class Pieces:
    """Faces by number: that of the first face of their part, and their row in it.

    question: what decides on the groups beside the faces. keys: of the parts; begins: int64 (parts + 1,), the number of
    the first face of each. piece: int64 (faces,), a number of each face's piece; -1: in none. near: of a face that
    founds no group the founder it joins; -1: it founds one. group: the first face of each face's group; -1: none.
    """

    question: str
    keys: Sequence[str]
    begins: Array
    piece: Array
    near: Array
    group: Array

    def to_bytes(self) -> bytes:
        """As a file."""
        file = io.BytesIO()
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        np.savez(file, question=np.array(self.question), keys=np.array(self.keys, str), **numbers)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes | None) -> "Pieces | None":
        """What was written; None if that is not whole, or nothing."""
        try:
            with np.load(io.BytesIO(content or b""), allow_pickle=False) as file:
                numbers = {name: file[name] for name in _NUMBERS}
                return cls(str(file["question"]), file["keys"].tolist(), **numbers)
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def same_as(self, known: "Pieces | None") -> tuple[Array, Array]:
        """The faces whose pieces are as they were, and their groups: int64 (n,) each.

        A piece is as it was if it has the same faces, of which the same found groups; parts are told by their keys.
        """
        nothing = np.empty(0, np.int64), np.empty(0, np.int64)
        if known is None or known.question != self.question:
            return nothing
        now = known.renumbered(self.keys, self.begins)
        faces = np.flatnonzero(self.piece >= 0)
        if not len(faces):
            return nothing
        _, piece = np.unique(self.piece[faces], return_inverse=True)
        before = now.piece[faces]
        order = np.argsort(piece, kind="stable")
        begin = np.flatnonzero(np.append(True, np.diff(piece[order]) > 0))
        lowest, highest = (of.reduceat(before[order], begin) for of in (np.minimum, np.maximum))
        size = np.bincount(known.piece[known.piece >= 0], minlength=1)
        as_it_was = (lowest == highest) & (lowest >= 0)
        as_it_was &= size[np.where(as_it_was, lowest, 0)] == np.bincount(piece)
        joins_alike = np.logical_and.reduceat((now.near[faces] == self.near[faces])[order], begin)
        same = faces[(as_it_was & joins_alike)[piece]]
        return same, now.group[same]

    def renumbered(self, keys: Sequence[str], begins: Array) -> "Pieces":
        """The same for other parts, as far as they are among these; pieces keep their numbers."""
        place = {key: number for number, key in enumerate(self.keys) if key}
        to = np.full(self.begins[-1], -1, np.int64)
        piece, near, group = (np.full(begins[-1], -1, np.int64) for _ in range(3))
        both = [(place[key], number) for number, key in enumerate(keys) if key in place]
        for old, new in both:
            to[self.begins[old] : self.begins[old + 1]] = np.arange(begins[new], begins[new + 1])
        for old, new in both:
            there, here = slice(self.begins[old], self.begins[old + 1]), slice(begins[new], begins[new + 1])
            piece[here] = self.piece[there]
            for theirs, mine in ((self.near, near), (self.group, group)):
                some = theirs[there]
                mine[here] = np.where(some < 0, -1, to[some])
        return Pieces(self.question, keys, begins, piece, near, group)
