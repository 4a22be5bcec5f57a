"""Folders that Rollcall itself keeps in a store, local or remote: written once, copied to where they are used.

A folder of a local store is used where it is. One of a remote store is copied to the machine's cache, once, by
whichever process is first; the copies are for that user alone, as they hold embeddings.
"""

import fcntl
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from pyarrow import fs

from udfs import lake, private
from udfs.cache import cache

_COPIES = "copies"
_SHOWN_WHEN_OPENED = ("hdfs", "viewfs")
"""Stores that show a file before it is whole; others show it when it is closed."""
_KEPT = 36 * 3600.0
"""Seconds that a copy is kept after a process last used it."""


def write(uri: str, content: bytes) -> None:
    """Write a file, whole or not at all."""
    path = lake.local_path(uri)
    if path is None:
        store, remote = lake.place(uri)
        store.create_dir(remote.rpartition("/")[0])
        whole_when_closed = uri.partition("://")[0] not in _SHOWN_WHEN_OPENED
        written = remote if whole_when_closed else f"{remote}.{uuid4().hex}"
        with store.open_output_stream(written) as stream:
            stream.write(content)
        if not whole_when_closed:
            with suppress(FileNotFoundError):
                store.delete_file(remote)  # which a move does not replace
            store.move(written, remote)
        return
    target = Path(os.fsdecode(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{uuid4().hex}")  # tempfile's are for one user alone
    partial.write_bytes(content)
    partial.replace(target)


def read(uri: str) -> bytes | None:
    """The bytes of a file; None if it does not exist."""
    store, path = lake.place(uri)
    if store.get_file_info(path).type == fs.FileType.NotFound:
        return None
    with store.open_input_stream(path) as stream:
        return stream.read()


@contextmanager
def new(uri: str) -> Iterator[Path]:
    """A path for a folder that is to be at `uri`; if that is remote, it is put there in the end."""
    local = lake.local_path(uri)
    if local is not None:
        yield Path(os.fsdecode(local))
        return
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "folder"
        yield path
        store, remote = lake.place(uri)
        store.create_dir(remote)
        fs.copy_files(str(path), remote, source_filesystem=fs.LocalFileSystem(), destination_filesystem=store)


def near(uri: str, check: Callable[[Path], None]) -> Path:
    """The folder at `uri` where this process can map its files: the folder itself, or a checked copy.

    check: raises if what it is given is not what was written; a copy that has failed it is never left behind.
    """
    local = lake.local_path(uri)
    if local is not None:
        return Path(os.fsdecode(local))
    return _copy(uri, cache() / _COPIES / uri.replace("://", "/"), check)


def _copy(uri: str, path: Path, check: Callable[[Path], None]) -> Path:
    private.make_folder(path.parent)
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            store, remote = lake.place(uri)
            with tempfile.TemporaryDirectory(dir=path.parent) as made:
                copied = Path(made) / "folder"
                copied.mkdir()
                fs.copy_files(remote, str(copied), source_filesystem=store, destination_filesystem=fs.LocalFileSystem())
                check(copied)
                copied.rename(path)
        os.utime(path.parent)  # it is in use: see `sweep_copies`
    _sweep_now_and_then()
    return path


_swept_at = -math.inf


def _sweep_now_and_then() -> None:
    """At most once an hour in a process: it looks at all copies that there are."""
    global _swept_at  # noqa: PLW0603 - of this process
    if time.monotonic() - _swept_at > 3600:
        _swept_at = time.monotonic()
        sweep_copies(_KEPT)


def ages(uri: str, marker: str) -> dict[str, float]:
    """The folders in a folder, by name: seconds since the file `marker` in each, or else the folder, was written."""
    store, path = lake.place(uri)
    now = time.time()
    found = {}
    for info in store.get_file_info(fs.FileSelector(path, allow_not_found=True)):
        if info.type == fs.FileType.Directory:
            marked = store.get_file_info(f"{info.path}/{marker}")
            written = (marked if marked.type == fs.FileType.File else info).mtime_ns
            found[info.base_name] = now - (written or 0) / 1e9
    return found


def remove(uri: str) -> None:
    """Remove a folder and all that is in it, if it is there."""
    store, path = lake.place(uri)
    if store.get_file_info(path).type == fs.FileType.Directory:
        store.delete_dir(path)


def sweep_copies(older_than: float) -> None:
    """Remove the folders of copies on this machine that no process has used for so many seconds."""
    root = cache() / _COPIES
    if not root.exists():
        return
    with (root / "sweeping").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another process does it
            return
        # Others copy and look meanwhile: what is there no more, is there no more.
        for folder, _, names in os.walk(root):
            with suppress(FileNotFoundError):
                if any(name.endswith(".lock") for name in names) and _unused(Path(folder)) > older_than:
                    shutil.rmtree(folder, ignore_errors=True)


def _unused(folder: Path) -> float:
    """Seconds since a process last used it."""
    return time.time() - folder.stat().st_mtime
