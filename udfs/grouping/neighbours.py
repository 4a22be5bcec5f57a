"""The neighbours of faces, as files: a list for each part of what is packed, which stays as long as its faces do.

A face's neighbours are the faces most similar to it, at most so many, as far as they are similar enough. The lists of
all parts together are a graph of all faces; its folder has a description, which is written last.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from udfs.search.index import NearestRows
from udfs.search.packed import DamagedError, described

Array = np.ndarray

_FILE = "neighbours.arrow"
_REVISION = 1
"""Raised when the files change: those of another revision are searched again."""


@dataclass(frozen=True)
class ListFile:
    """The list of one part, and what was written there.

    name: its folder, below the one in which all that is packed is. edges: how many neighbours its faces have together.
    """

    name: str
    sha256: str
    edges: int

    def check(self, folder: Path) -> None:
        """Compare the file with what was written.

        Raises:
            DamagedError: it is missing or has changed.
        """
        path = folder / _FILE
        if not path.exists():
            raise DamagedError(f"{path} is missing")
        if _sha256(path) != self.sha256:
            raise DamagedError(f"{path} is not what was written")


@dataclass(frozen=True)
class Graph:
    """The lists of all parts, by their keys.

    root: the URI of the folder in which all that is packed is. name: the folder of what is packed there. k: the most
    neighbours a face has. floor: the similarity below which none are kept.
    """

    root: str
    name: str
    k: int
    floor: float
    lists: dict[str, ListFile]

    def for_floor(self, k: int, floor: float) -> "Graph":
        """The same, or one without any list where its lists have not all that is asked for."""
        enough = self.k == k and self.floor <= floor
        return self if enough else replace(self, k=k, floor=floor, lists={})

    def to_json(self) -> bytes:
        """The description."""
        lists = {key: [of.name, of.sha256, of.edges] for key, of in self.lists.items()}
        return json.dumps({"revision": _REVISION, "k": self.k, "floor": self.floor, "lists": lists}).encode()

    @classmethod
    def from_json(cls, root: str, name: str, content: bytes | None) -> "Graph":
        """What is described; nothing where the description has another revision, is not complete JSON, or is None."""
        found = described(content, _REVISION)
        if found is None:
            return cls(root, name, 0, 1.0, {})
        lists = {key: ListFile(*of) for key, of in found["lists"].items()}
        return cls(root, name, found["k"], found["floor"], lists)


def save(name: str, found: NearestRows, keys: Sequence[str], folder: Path) -> ListFile:
    """Write a list to a new folder. keys: those of the parts, by the numbers that the list has for them."""
    folder.mkdir(parents=True)
    part = pa.DictionaryArray.from_arrays(pa.array(found.part, pa.int32()), pa.array(list(keys), pa.string()))
    columns = {"query": pa.array(found.query, pa.int32()), "part": part}
    columns |= {"row": pa.array(found.row, pa.int32()), "similarity": pa.array(found.similarity)}
    batch = pa.record_batch(columns)
    with pa.ipc.new_file(folder / _FILE, batch.schema) as file:
        file.write_batch(batch)
    return ListFile(name, _sha256(folder / _FILE), len(found.query))


def load(folder: Path, keys: Sequence[str]) -> NearestRows:
    """The list that was written to a folder, with the numbers of the parts by their keys; -1: of a part that is none of
    these."""
    batch = pa.ipc.open_file(pa.memory_map(str(folder / _FILE))).get_batch(0)
    numbers = {key: number for number, key in enumerate(keys)}
    now = np.array([numbers.get(key, -1) for key in batch["part"].dictionary.to_pylist()], np.int32)
    part = now[batch["part"].indices.to_numpy()] if len(now) else np.empty(0, np.int32)
    query, row, similarity = (batch[name].to_numpy() for name in ("query", "row", "similarity"))
    return NearestRows(query.astype(np.intp), part, row, similarity)


def other_faces(found: NearestRows, part: int, k: int) -> NearestRows:
    """The k nearest faces but the query itself, of the k + 1 nearest. part: the number of the part that it is in; there
    its row is its number."""
    return found.taken((found.part != part) | (found.row != found.query)).first(k)


def kept_of(known: NearestRows, k: int) -> tuple[NearestRows, Array]:
    """What is left of a list when some parts are gone, and the queries of which others must be looked for in all parts:
    those whose list was full, so that faces that were not among their k nearest may now be."""
    count = np.bincount(known.query[known.part < 0], minlength=1)
    lost = np.flatnonzero(count)
    full = np.bincount(known.query, minlength=len(count))[lost] == k
    again = lost[full]
    return known.taken((known.part >= 0) & ~np.isin(known.query, again)), again


def reversed_for(theirs: NearestRows, own: int, part: int, k: int) -> tuple[NearestRows, Array]:
    """The list of a part turned round: whom it makes the neighbours of faces of another part. And its rows whose list
    is full: these are left out, as others may have them for a neighbour as well.

    theirs: the list of part `own`. part: the other one.
    """
    count = np.bincount(theirs.query, minlength=1)
    turned = theirs.taken((theirs.part == part) & (count[theirs.query] < k))
    of_own = np.full(len(turned.query), own, np.int32)
    return NearestRows(turned.row.astype(np.intp), of_own, turned.query.astype(np.int32), turned.similarity), (
        np.flatnonzero(count == k)
    )


def merged(
    kept: NearestRows, added: Sequence[NearestRows], k: int, names: Callable[[int, Array], Array]
) -> NearestRows:
    """The k nearest of each query, of those in a list and in others, of which each is in one. names: of rows of a
    part."""
    touched = np.unique(np.concatenate([np.empty(0, np.intp), *(of.query for of in added)]))
    concerned = np.isin(kept.query, touched)
    every = _joined([kept.taken(concerned), *added])
    order = np.lexsort((every.row, every.part, -every.similarity, every.query))
    both = _joined([kept.taken(~concerned), every.taken(order).in_order(names).first(k)])
    return both.taken(np.argsort(both.query, kind="stable"))


def _joined(lists: Sequence[NearestRows]) -> NearestRows:
    return NearestRows(*(np.concatenate(columns) for columns in zip(*lists, strict=True)))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
