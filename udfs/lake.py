"""Lists and reads the files of a data lake, local or remote, and loses none of them.

A file is named by its percent-encoded URI, from listing to result. The URI is taken apart once, by
`urllib`, into a file system and a path; it is never handed to anything that would parse it again
(`pyarrow.fs.FileSystem.from_uri` reads `ha#sh.jpg` and `per%20cent.jpg` as other files). Local names
are bytes, so names that are not UTF-8 are files like any other.
"""

import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote_from_bytes, unquote, unquote_to_bytes, urlsplit

from pyarrow import fs

from udfs.errors import InputError, StoreError
from udfs.retry import is_final, until_answered

T = TypeVar("T")


_Identity = tuple[int, int]
"""Of a local directory: its device, and its number there."""

SCHEMES = ("file", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
"""What URIs may begin with: the file systems of pyarrow, and Hadoop's name for S3."""
_LARGEST_SMALL = 4 * 2**30
"""Bytes of a file that is read as a whole, besides images."""
_OF_STORES = ("s3", "s3a", "gs", "gcs", "abfs", "abfss")
"""Those of which a store must be named; hdfs has one of its own."""


@dataclass(frozen=True)
class File:
    """One listed file: its URI, its size in bytes, its modification time in microseconds since 1970 (UTC).

    `regular` is false for pipes, sockets and devices, which are never opened. A link that leads nowhere
    is a file of size 0 with the link's own time; so is a file that cannot be looked at, with time 0. Times
    before the year 1 or after 9999, which neither Python nor SQL can write, are the first or last that they can.
    """

    uri: str
    size: int
    modified_us: int
    regular: bool = True


class ReadError(Exception):
    """A file could not be read; `reason` is the outcome: gone, forbidden, changed, unreadable, ..."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


# --- names -----------------------------------------------------------------------------------------------


def uri_of(source: str) -> str:
    """A URI for what a person typed: a local path becomes `file:///...`, and a URI is written the one way that
    listing writes it, so that `s3://lake/a b` and `S3A://lake/a%20b` are both `s3://lake/a%20b`.

    A % in a local path is a character of it; in a URI it begins one. Braces stay, so that a template
    (`/lake/{run_date}/`) is still one.

    Raises:
        InputError: a URI with a query, a fragment or a control character, which belong percent-encoded in the path;
            one that names no store and no absolute path, or whose store is malformed; a `file:` URI with a host.
    """
    if not _has_scheme(source):
        folder = "/" if source.endswith("/") else ""
        return "file://" + quote_from_bytes(os.path.abspath(os.fsencode(source)), safe="/{}") + folder
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", source):  # some of which urllib leaves out
        raise InputError(f"{source!r}: write control characters percent-encoded, such as %09 for a tab")
    try:
        parts = urlsplit(source)
    except ValueError as error:
        raise InputError(f"{source}: is not a URI: {error}; correct the name of the store") from error
    if ":" in parts.netloc.rpartition("@")[0]:
        raise InputError(
            f"{source}: user and password do not belong into a URI, which tables and logs keep; the environment gives"
            " them to the store's client (docs/operations.md)"
        )
    if parts.query or parts.fragment:
        raise InputError(f"{source}: write ? as %3F and # as %23; a region or an endpoint comes from the environment")
    if not parts.netloc and (parts.scheme in _OF_STORES or not parts.path.startswith("/")):
        raise InputError(f"{source}: it names neither a store nor an absolute path; write {parts.scheme}://STORE/PATH")
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        raise InputError(
            f"{source}: {parts.netloc!r} stands where a host would; write file:///PATH, with three slashes"
        )
    authority = "" if parts.scheme == "file" else parts.netloc
    scheme = "s3" if parts.scheme == "s3a" else parts.scheme  # Hadoop's name for what pyarrow calls s3
    return f"{scheme}://{authority}{_requoted(parts.path)}"


def _requoted(path: str) -> str:
    """A path of a URI, each of whose characters is encoded as listing does; braces stay as they are."""
    pieces = re.split(r"([{}])", path)
    return "".join(p if p in ("{", "}") else quote_from_bytes(unquote_to_bytes(p)) for p in pieces)


def file_name(uri: str) -> str:
    """The name of a file or folder, to be read by a person."""
    return unquote(uri.rstrip("/").rpartition("/")[2])


def quoted(path: str) -> str:
    """A relative path as it stands in a URI."""
    return quote_from_bytes(os.fsencode(path), safe="/")


def _has_scheme(source: str) -> bool:
    return re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", source) is not None


def _file_uri(path: bytes) -> str:
    return "file://" + quote_from_bytes(path, safe="/")


def local_path(uri: str) -> bytes | None:
    """The path of a `file:` URI as bytes; None for any other.

    Raises:
        InputError: it contains a NUL, which no file system allows.
    """
    parts = urlsplit(uri)
    if parts.scheme != "file":
        return None
    path = unquote_to_bytes(parts.path)
    if b"\0" in path:
        raise InputError(f"{uri}: it contains a NUL (%00), which no file name can; correct it")
    return path


@lru_cache(maxsize=32)
def _store(scheme: str, authority: str) -> tuple[fs.FileSystem, str]:
    """The file system of a store, and the path of its root in that file system; one connection a process."""
    name = f"{scheme}://{authority}"
    try:
        return until_answered(name, lambda: fs.FileSystem.from_uri(f"{name}/"))
    except OSError as error:
        raise _cannot(name, "be reached", error) from error
    except ValueError as error:
        raise InputError(
            f"{name}: cannot be reached: {_one_line(error)}; check the scheme and the name of the store"
        ) from error


def _remote(uri: str) -> tuple[fs.FileSystem, str]:
    parts = urlsplit(uri)
    store, root = _store(parts.scheme, parts.netloc)
    try:
        path = unquote_to_bytes(parts.path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{uri}: it is not UTF-8 when decoded, and names in this store are; correct it") from error
    return store, root.rstrip("/") + path if root.strip("/") else path


def _ask(uri: str, call: Callable[[], T]) -> T:
    """What a store answers about one of its files; waits for a store that fails."""
    scheme, authority, *_ = urlsplit(uri)
    return until_answered(f"{scheme}://{authority}", call)


def _cannot(uri: str, what: str, error: OSError) -> Exception:
    """What to raise: InputError if a person has to act, StoreError if it may pass (as on a network disk)."""
    wrong_name = error.errno in (errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.ENOTSUP)
    problem = f"{uri}: cannot {what}: {error.strerror or _one_line(error)}"
    if is_final(error) or wrong_name:
        return InputError(f"{problem}; check the name, and that this user may read it")
    return StoreError(f"{problem}; run it again once the store answers")


def place(uri: str) -> tuple[fs.FileSystem, str]:
    """The file system a URI names, and the path in it; for what Rollcall itself keeps, whose names are UTF-8."""
    path = local_path(uri)
    return _remote(uri) if path is None else (fs.LocalFileSystem(), path.decode("utf-8"))


# --- listing ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Listing:
    """What stands directly in one directory."""

    files: list[File]
    directories: list[str]


def list_directory(uri: str) -> Listing:
    """List one directory, or the one file that `uri` names, in the order of names.

    Hidden and empty files are files. Links to directories are followed.

    Raises:
        InputError: it does not exist, or may not be listed.
        StoreError: its store does not answer.
    """
    directories: list[str] = []
    files = sorted(_files_in(uri, directories), key=lambda file: file.uri)
    return Listing(files, sorted(directories))


def directories_in(uri: str) -> list[str]:
    """The directories that stand directly in one, in the order of names; no file is looked at. None if `uri` names a
    file.

    Raises:
        InputError, StoreError: as of `list_directory`.
    """
    return sorted(name for name, file in _entries(uri) if file is None)


def files_in(uri: str) -> Iterator[File]:
    """The files that stand directly in a directory, or the one that `uri` names, in no order and one at a time.

    Raises:
        InputError, StoreError: as of `list_directory`.
    """
    return _files_in(uri, [])


def list_below(
    uri: str, *, missing_ok: bool = False, pass_over: Callable[[InputError], None] | None = None
) -> Iterator[File]:
    """All files below a directory, at any depth, one at a time.

    A lake is written to while it is listed: what is below `uri` and is removed meanwhile is passed over, and with
    `missing_ok` so is `uri` itself.

    pass_over: is told of each directory that cannot be listed, and of each link that leads back to a directory it is
    in, `uri` included; the rest is listed. Without it the first of them is raised.

    Raises:
        InputError: as `list_directory`, or a link that leads back to its own parent; unless there is `pass_over`.
        StoreError: its store does not answer.
    """
    # A stack of its own, as directories may be nested deeper than calls.
    waiting = [(uri, _parents(uri))]
    while waiting:
        here, parents = waiting.pop()
        identity = _identity(here)
        directories: list[str] = []
        try:
            if identity in parents:
                raise InputError(f"{here}: a link leads back to its own parent; remove it, or name its target")
            yield from _files_in(here, directories)
        except InputError as error:
            is_gone = isinstance(error.__cause__, FileNotFoundError)
            if not (is_gone and (missing_ok or here != uri)):
                if pass_over is None:
                    raise
                pass_over(error)
        below = parents if identity is None else parents | {identity}
        waiting += [(directory, below) for directory in sorted(directories, reverse=True)]


def _parents(uri: str) -> frozenset[_Identity]:
    """The directories that a local one is in, by the names in its path."""
    path = local_path(uri)
    if path is None:
        return frozenset()
    identities = (_identity(_file_uri(parent)) for parent in _names_above(path))
    return frozenset(identity for identity in identities if identity is not None)


def _names_above(path: bytes) -> Iterator[bytes]:
    parent = os.path.dirname(path.rstrip(b"/"))
    while parent not in (b"", b"/"):
        yield parent
        parent = os.path.dirname(parent)
    yield b"/"


def leads_nowhere(uri: str) -> bool:
    """Whether this is a local link whose target is not there, or may not be looked at."""
    path = local_path(uri)
    return path is not None and os.path.islink(path) and not os.path.exists(path)


def _files_in(uri: str, directories: list[str]) -> Iterator[File]:
    """The files directly in a directory; its directories are added to a list."""
    for name, file in _entries(uri):
        if file is None:
            directories.append(name)
            continue
        try:
            yield file()
        except (FileNotFoundError, NotADirectoryError):  # it was removed after its folder was read
            continue


_Entry = tuple[str, Callable[[], File] | None]
"""The URI of what stands in a directory, and what looks at it; None for a directory."""


def _entries(uri: str) -> Iterator[_Entry]:
    """What stands directly in one directory, or the one file that `uri` names, in no order.

    Of a folder on this machine one entry at a time is held, of one in a store all that the store has said of them:
    pyarrow asks for all before it gives the first.
    """
    path = local_path(uri)
    return _remote_entries(uri) if path is None else _local_entries(path)


def _identity(uri: str) -> _Identity | None:
    """What a local directory is, by whatever name; None for one that cannot be looked at, or is not local."""
    path = local_path(uri)
    if path is None:
        return None
    try:
        status = os.stat(path)
    except OSError:  # listing it says why
        return None
    return status.st_dev, status.st_ino


def _local_entries(path: bytes) -> Iterator[_Entry]:
    try:
        if not stat.S_ISDIR(os.stat(path).st_mode):
            yield _file_uri(path), partial(_local_file, path)
            return
        with os.scandir(path) as entries:
            for entry in entries:
                yield _file_uri(entry.path), None if _is_directory(entry) else partial(_local_file, entry.path)
    except OSError as error:
        raise _cannot(_file_uri(path), "be listed", error) from error


def _is_directory(entry: os.DirEntry[bytes]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where nobody may look: a name like any other, and reading says why not
        return False


def _local_file(path: bytes) -> File:
    try:
        status = os.stat(path)
    except OSError:  # a link that leads nowhere: still a name in the lake, and it gets its outcome
        return File(_file_uri(path), 0, _time_of_name(path))
    regular = stat.S_ISREG(status.st_mode)
    return File(_file_uri(path), status.st_size if regular else 0, _microseconds(status.st_mtime_ns), regular)


def _time_of_name(path: bytes) -> int:
    """The time of a link itself; 0 of what is named in its folder and cannot be looked at, as this user may not, or as
    the path is too long.
    """
    try:
        return _microseconds(os.lstat(path).st_mtime_ns)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG):
            return 0
        raise


def _remote_entries(uri: str) -> Iterator[_Entry]:
    store, path = _remote(uri)
    try:
        here = _ask(uri, lambda: store.get_file_info(path))
        if here.type == fs.FileType.File:
            yield uri, partial(_remote_file, uri, here)
            return
        children = _ask(uri, lambda: store.get_file_info(fs.FileSelector(path, recursive=False)))
    except OSError as error:
        raise _cannot(uri, "be listed", error) from error
    base = uri.rstrip("/")
    for info in children:
        name = f"{base}/{quote_from_bytes(info.base_name.encode())}"
        yield name, None if info.type == fs.FileType.Directory else partial(_remote_file, name, info)


def _remote_file(uri: str, info: fs.FileInfo) -> File:
    return File(uri, info.size or 0, _microseconds(info.mtime_ns or 0), info.type == fs.FileType.File)


def _microseconds(nanoseconds: int) -> int:
    return max(_FIRST_US, min(nanoseconds // 1000, _LAST_US))


def _since_1970(time: datetime) -> int:
    return (time - datetime(1970, 1, 1)) // timedelta(microseconds=1)


_FIRST_US, _LAST_US = _since_1970(datetime.min), _since_1970(datetime.max)


# --- reading ---------------------------------------------------------------------------------------------


def read(file: File, maximum_bytes: int) -> bytes:
    """The bytes of a file that is still the one that was listed.

    Raises:
        ReadError: `not_an_image` (a pipe, socket or device), `empty`, `too_large`, `gone`, `forbidden`,
            `changed` (another size or modification time than listed; remote times are compared in whole seconds),
            `unreadable` (any other failure of the store, worth another try).
    """
    if not file.regular:
        raise ReadError("not_an_image", "it is a pipe, socket or device")
    try:
        if not _same(_stat(file.uri), file):
            raise ReadError("changed", "its size or modification time is not the one listed")
        if file.size == 0:
            raise ReadError("empty", "it has no bytes")
        if file.size > maximum_bytes:
            raise ReadError("too_large", f"{file.size:,} bytes; vision.maximum_bytes is {maximum_bytes:,}")
        content = _content(file.uri)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ReadError("gone", _one_line(error)) from error
    except PermissionError as error:
        raise ReadError("forbidden", _one_line(error)) from error
    except (OSError, InputError) as error:
        raise ReadError("unreadable", _one_line(error)) from error
    if len(content) != file.size:
        raise ReadError("changed", f"{len(content):,} bytes read, {file.size:,} listed")
    return content


def _same(current: File, listed: File) -> bool:
    """Whether a file is still the one that was listed.

    Many stores list times to the millisecond and answer about one file in whole seconds (an HTTP date), so
    that beyond the local disk whole seconds are what can be compared.
    """
    unit = 1 if local_path(listed.uri) is not None else 1_000_000
    return (current.size, current.modified_us // unit) == (listed.size, listed.modified_us // unit)


def find(uri: str) -> File:
    """The file as it is now; size 0 and time 0 if it is gone or may not be looked at: reading says which."""
    try:
        path = local_path(uri)
        return _local_file(path) if path is not None else _stat(uri)
    except (OSError, InputError):
        return File(uri, 0, 0)


def read_anything(uri: str) -> bytes:
    """The bytes of a small file that Rollcall itself needs (weights, a manifest).

    Raises:
        InputError: it cannot be read, is a device, or too large; the message names it.
        StoreError: its store does not answer.
    """
    uri = uri_of(uri)
    try:
        _refuse_endless(uri)
        return _content(uri)
    except OSError as error:
        raise _cannot(uri, "be read", error) from error


def _refuse_endless(uri: str) -> None:
    """A device may never end, and a file with holes has any size."""
    path = local_path(uri)
    if path is not None:
        status = os.stat(path)
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            raise InputError(f"{uri}: is a device; name a file")
        size = status.st_size
    else:
        store, remote_path = _remote(uri)
        size = _ask(uri, lambda: store.get_file_info(remote_path)).size or 0
    if size > _LARGEST_SMALL:
        raise InputError(f"{uri}: has {size / 1e9:,.1f} GB, and up to {_LARGEST_SMALL / 1e9:.1f} are read; split it")


def _stat(uri: str) -> File:
    path = local_path(uri)
    if path is not None:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ReadError("changed", "it is no longer a file")
        return File(uri, status.st_size, _microseconds(status.st_mtime_ns))
    store, remote_path = _remote(uri)
    info = _ask(uri, lambda: store.get_file_info(remote_path))
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError(f"{uri} does not exist")
    return _remote_file(uri, info)


def _content(uri: str) -> bytes:
    path = local_path(uri)
    if path is not None:
        return Path(os.fsdecode(path)).read_bytes()
    store, remote_path = _remote(uri)

    def content() -> bytes:
        with store.open_input_stream(remote_path) as stream:
            whole: bytes = stream.read()
            return whole

    return _ask(uri, content)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
