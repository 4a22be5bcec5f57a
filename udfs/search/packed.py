"""A gallery as files: packed once, mapped by every worker of a machine.

A packed gallery is a folder of parts and a description of them, `packed.json`, which is written last: what it
does not name does not belong to it. All files but that one are arrays as they are searched, so that opening a part
reads nothing, and workers share the memory of what they scan.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from udfs.search.samples import SampleMatrix

_REVISION = 1
"""Raised when the files change: those of another revision are packed again."""

_ARRAYS = ("vectors", "panels", "scales", "person_of")
_NAMES = "names.arrow"
DESCRIPTION = "packed.json"


class DamagedError(Exception):
    """A file of a packed gallery is missing, or is not what was written."""


@dataclass(frozen=True)
class Part:
    """One part of a packed gallery: the folder it is in, and what was written there.

    first_person: parts stand in the order of their persons. size: bytes. sha256: of each file, by its name.
    """

    name: str
    first_person: str
    rows: int
    size: int
    loss: float
    kept: float
    sha256: dict[str, str]

    @classmethod
    def save(cls, matrix: SampleMatrix, folder: Path) -> "Part":
        """Write a part of at least one sample to a new folder."""
        folder.mkdir(parents=True)
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(matrix, name), allow_pickle=False)
        names = pa.record_batch([matrix.persons, matrix.samples], ["person", "sample"])
        with pa.ipc.new_file(folder / _NAMES, names.schema) as file:
            file.write_batch(names)
        files = sorted(folder.iterdir())
        return cls(
            folder.name,
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
        names = pa.ipc.open_file(pa.memory_map(str(folder / _NAMES))).get_batch(0)
        return SampleMatrix(persons=names["person"], samples=names["sample"], loss=self.loss, kept=self.kept, **arrays)

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
    """A packed gallery: where it is, and its parts in their order."""

    uri: str
    parts: tuple[Part, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(part.size for part in self.parts)

    @property
    def rows(self) -> int:
        """Samples."""
        return sum(part.rows for part in self.parts)

    def to_json(self) -> bytes:
        """The description of the parts."""
        return json.dumps({"revision": _REVISION, "parts": [asdict(part) for part in self.parts]}).encode()

    @classmethod
    def from_json(cls, uri: str, content: bytes) -> "Packed | None":
        """The packed gallery that is described; None if it has another revision, or is not complete JSON."""
        try:
            described = json.loads(content)
        except ValueError:
            return None
        if described.get("revision") != _REVISION:
            return None
        return cls(uri, tuple(Part(**part) for part in described["parts"]))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
