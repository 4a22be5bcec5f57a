"""Several ids in one text, as a person reads them; an id may have a comma in it."""

from collections.abc import Collection, Iterable

_BETWEEN = ", "


def listed(ids: Iterable[str]) -> str:
    """The ids in one text, sorted."""
    return _BETWEEN.join(sorted(ids))


def ids_in(text: str, with_commas: Collection[str]) -> list[str]:
    """The ids that are listed in a text. with_commas: all ids there are that have a comma; of two that begin alike the
    longer one is meant."""
    parts, found = text.split(_BETWEEN), list[str]()
    while parts:
        ends = (end for end in range(len(parts), 1, -1) if _BETWEEN.join(parts[:end]) in with_commas)
        end = next(ends, 1)
        found.append(_BETWEEN.join(parts[:end]))
        parts = parts[end:]
    return found
