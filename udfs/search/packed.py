"""A gallery as files: packed once, mapped by every worker of a machine.

A packed gallery is a folder with a description, `packed.json`, which is written last, and the parts that it names. They
are folders in the same folder, or, of a gallery that was extended, in that of the gallery it was extended from. All
files but the description are arrays as they are searched, so that opening a part reads nothing, and workers share the
memory of what they scan.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa

from udfs.search.samples import SampleMatrix

_REVISION = 2
"""Raised when the files change: those of another revision are packed again."""

_ARRAYS = ("vectors", "panels", "scales", "person_of")
_NAMES = "names.arrow"
DESCRIPTION = "packed.json"
_NO_MORE: Mapping[str, pa.Array] = MappingProxyType({})


class DamagedError(Exception):
    """A file of a packed gallery is missing, or is not what was written."""


@dataclass(frozen=True)
class Part:
    """One part of a packed gallery, and what was written there.

    name: its folder, below the one in which all packed galleries are. first_person: by name. size: bytes. sha256: of
    each file, by its name. gone: rows that are not of this gallery, though they were of the one that it was extended
    from.
    """

    name: str
    first_person: str
    rows: int
    size: int
    loss: float
    kept: float
    sha256: dict[str, str]
    gone: tuple[int, ...] = ()

    @classmethod
    def save(
        cls,
        name: str,
        matrix: SampleMatrix,
        digests: pa.Int64Array,
        folder: Path,
        more: Mapping[str, pa.Array] = _NO_MORE,
    ) -> "Part":
        """Write a part of at least one sample to a new folder; digests: of the embeddings, a row each. more: further
        columns beside the names.
        """
        folder.mkdir(parents=True)
        for array in _ARRAYS:
            np.save(folder / f"{array}.npy", getattr(matrix, array), allow_pickle=False)
        names = pa.record_batch({"person": matrix.persons, "sample": matrix.samples, "digest": digests, **more})
        with pa.ipc.new_file(folder / _NAMES, names.schema) as file:
            file.write_batch(names)
        files = sorted(folder.iterdir())
        return cls(
            name,
            matrix.persons[0].as_py(),
            len(matrix.vectors),
            sum(file.stat().st_size for file in files),
            matrix.loss,
            matrix.kept,
            {file.name: _sha256(file) for file in files},
        )

    def load(self, folder: Path) -> SampleMatrix:
        """Map a part that was checked before."""
        # Copy-on-write, though nothing is written: compiled loops tell read-only arrays from others.
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False) for name in _ARRAYS}
        names = self.names(folder)
        matrix = SampleMatrix(
            persons=names["person"], samples=names["sample"], loss=self.loss, kept=self.kept, **arrays
        )
        return matrix.without(self.gone)

    def names(self, folder: Path) -> pa.RecordBatch:
        """person, sample, and the digest of the embedding, of each row, rows that are gone too; and what else was
        written."""
        return pa.ipc.open_file(pa.memory_map(str(folder / _NAMES))).get_batch(0)

    def check(self, folder: Path) -> None:
        """Read all files of a part, and compare them with what was written.

        Raises:
            DamagedError: one is missing or has changed.
        """
        for name, digest in self.sha256.items():
            path = folder / name
            if not path.exists():
                raise DamagedError(f"{path} is missing")
            if _sha256(path) != digest:
                raise DamagedError(f"{path} is not what was written")


@dataclass(frozen=True)
class Packed:
    """A packed gallery: the URI of the folder in which all are, its own folder there, and its parts.

    scope: what later galleries must be of to be extended from this one; None if none is.
    """

    root: str
    name: str
    parts: tuple[Part, ...]
    scope: str | None = None

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(part.size for part in self.parts)

    @property
    def rows(self) -> int:
        """Samples."""
        return sum(part.rows - len(part.gone) for part in self.parts)

    @property
    def folders(self) -> list[str]:
        """The folders that it needs: its own, and that of the gallery it was extended from."""
        return sorted({self.name, *(part.name.partition("/")[0] for part in self.parts)})

    def place(self, part: Part) -> str:
        """The URI of a part."""
        return f"{self.root}/{part.name}"

    def to_json(self) -> bytes:
        """The description."""
        parts = [asdict(part) for part in self.parts]
        return json.dumps({"revision": _REVISION, "scope": self.scope, "parts": parts}).encode()

    @classmethod
    def from_json(cls, root: str, name: str, content: bytes) -> "Packed | None":
        """The packed gallery that is described; None if it has another revision, or is not complete JSON."""
        found = described(content, _REVISION)
        if found is None:
            return None
        parts = tuple(Part(**{**part, "gone": tuple(part["gone"])}) for part in found["parts"])
        return cls(root, name, parts, found["scope"])


def described(content: bytes | None, revision: int) -> dict[str, Any] | None:
    """What a description says; None where it has another revision, is not complete JSON, or is not there."""
    try:
        found: dict[str, Any] = json.loads(content or b"{}")
    except ValueError:
        return None
    return found if found.get("revision") == revision else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
