"""What is kept beside the tables: packed galleries and faces, their copies on this machine, and pages."""

from collections.abc import Iterable
from dataclasses import dataclass

from pyarrow import fs

from jobs.erasure.closure import Closure
from jobs.run.context import Context
from schemas.catalog import TABLES
from udfs import artifacts, lake
from udfs.cache import cache
from udfs.escapes import unescaped

_PACKED = "_packed"
_PAGES = (".html", ".htm")


@dataclass(frozen=True)
class Beside:
    """packed: URIs of folders, whole, as they are made again when they are next needed. pages: URIs of pages beside the
    tables that name somebody or something of what is erased; they have its pictures."""

    packed: tuple[str, ...]
    pages: tuple[str, ...]

    @classmethod
    def of(cls, context: Context, closure: Closure) -> "Beside":
        """What there is now."""
        tables = []
        if closure.samples or closure.person is not None:
            tables += ["gallery", "seen_photos"]
        if closure.faces or closure.images:
            tables += ["faces"]
        packed = packed_beside(context, *tables)
        pages = [uri for uri in others(context) if uri.lower().endswith(_PAGES) and _holds(uri, closure)]
        return cls(tuple(packed), tuple(pages))

    @property
    def count(self) -> int:
        """How many folders and pages there are."""
        return len(self.packed) + len(self.pages)

    @property
    def counts(self) -> dict[str, int]:
        """The same by what they are."""
        return {name: len(found) for name, found in (("packed folders", self.packed), ("pages", self.pages)) if found}

    def remove(self) -> None:
        """Remove all of it, and what this machine has copied of it."""
        remove_packed(self.packed)
        for page in self.pages:
            store, path = lake.place(page)
            store.delete_file(path)


def packed_beside(context: Context, *tables: str) -> list[str]:
    """The folders of what is packed beside some tables, as far as there are any."""
    places = [f"{context.tables.location(table)}/{_PACKED}" for table in tables if context.tables.exists(table)]
    return [place for place in places if _is_there(place)]


def remove_packed(places: Iterable[str]) -> None:
    """Remove such folders, and what this machine has copied of them."""
    for place in places:
        artifacts.remove(place)
        copied = cache() / "copies" / place.replace("://", "/")
        artifacts.remove(lake.uri_of(str(copied)))


def files_below(place: str) -> list[str]:
    """URIs of all files below a folder, hidden ones as well; none if it is not there."""
    store, folder = lake.place(place)
    infos = store.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))
    below = [info.path[len(folder.rstrip("/")) + 1 :] for info in infos if info.type == fs.FileType.File]
    return [f"{place.rstrip('/')}/{lake.quoted(path)}" for path in sorted(below)]


def others(context: Context) -> list[str]:
    """The files below the tables' root that are of no table."""
    place = context.tables.root_uri
    if place is None:
        return []
    return [uri for uri in files_below(place) if uri[len(place.rstrip("/")) + 1 :].split("/")[0] not in TABLES]


def copies() -> list[str]:
    """What this machine has copied of what is packed in a store."""
    return files_below(lake.uri_of(str(cache() / "copies")))


def _is_there(place: str) -> bool:
    store, path = lake.place(place)
    return bool(store.get_file_info(path).type == fs.FileType.Directory)


def _holds(uri: str, closure: Closure) -> bool:
    content = artifacts.read(uri)
    if content is None:
        return False
    text = content.decode("utf-8", "replace")
    return closure.words.in_text(text) or closure.words.in_text(unescaped(text))
