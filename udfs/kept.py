"""What takes seconds to make and is the same every time, kept in this machine's cache."""

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache as remembered
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

from udfs.cache import cache
from udfs.ids import document_id

Files = dict[str, bytes]

_FOLDER = "made"
_DIGESTS = "sha256.json"
_UNUSED = 30 * 24 * 3600.0
"""Seconds after which what no process has used is removed, when something else is kept."""


def kept(package: str, of: Mapping[str, object], make: Callable[[], Files]) -> Files:
    """Some files by their names, as they were kept, else as `make` gives them.

    of: all that decides what is made, besides the code of the package, whose every change makes everything anew. What
    was damaged since is made again. Where the cache cannot be written, nothing is kept.
    """
    folder = cache() / _FOLDER / document_id({**of, "code": _code(package)})
    found = _whole(folder)
    if found is None:
        found = make()
        with suppress(OSError):  # a cache that is full, or for reading only
            _keep(folder, found)
    return found


@remembered
def _code(package: str) -> str:
    sources = sorted((file.name, file) for file in files(package).iterdir() if file.name.endswith(".py"))
    return sha256(b"".join(name.encode() + file.read_bytes() for name, file in sources)).hexdigest()


def _whole(folder: Path) -> Files | None:
    """The files of a folder, if each of them is what was written."""
    try:
        digests = json.loads((folder / _DIGESTS).read_bytes())
        found = {name: (folder / name).read_bytes() for name in digests}
    except (OSError, ValueError):
        return None
    if {name: sha256(content).hexdigest() for name, content in found.items()} != digests:
        return None
    with suppress(OSError):
        os.utime(folder)  # it is in use
    return found


def _keep(folder: Path, made: Files) -> None:
    """Whole or not at all: several processes may be doing the same."""
    partial = folder.with_name(f"{folder.name}.{uuid4().hex}")
    partial.mkdir(parents=True)
    try:
        for name, content in made.items():
            (partial / name).write_bytes(content)
        digests = {name: sha256(content).hexdigest() for name, content in made.items()}
        (partial / _DIGESTS).write_text(json.dumps(digests), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)  # what was damaged
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for other in folder.parent.iterdir():
        if time.time() - other.stat().st_mtime > _UNUSED:
            shutil.rmtree(other, ignore_errors=True)
