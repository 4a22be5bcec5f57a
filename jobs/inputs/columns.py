"""The columns of rows that a user gives: those that are known, in whichever case they are written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from udfs.errors import InputError

Others = Literal["refused", "kept", "left out"]
"""What becomes of columns of other names."""


@dataclass(frozen=True)
class Columns:
    """What columns rows must have, and may have."""

    required: Collection[str]
    optional: Collection[str]
    others: Others

    def known(self, written: str) -> str:
        """The name of a column as it is known here; of another one, the name as it is written."""
        name = written.strip()
        return name.lower() if name.lower() in (*self.required, *self.optional) else name

    def matched(self, uri: str, written: Sequence[str]) -> list[str | None]:
        """The name of each column; None for one that is left out, and for one without a name. uri: whose columns these
        are, for messages.

        Raises:
            InputError: a column is missing, there twice, or not known.
        """
        names = [self.known(name) for name in written]
        unknown = self._unknown(names)
        left_out = unknown if self.others == "left out" else set()
        if missing := set(self.required) - set(names):
            raise InputError(f"{uri}: has no column {_listed(missing)}; its columns are: {_listed(names)[:200]}")
        if unknown and self.others == "refused":
            known = _listed({*self.required, *self.optional})
            raise InputError(
                f"{uri}: unknown column {_listed(unknown)}; known are: {known}; to leave others out: "
                "--allow-other-columns"
            )
        if twice := {name for name in names if name and names.count(name) > 1} - left_out:
            raise InputError(f"{uri}: has two columns {_listed(twice)}; keep one of them")
        return [None if not name or name in left_out else name for name in names]

    def chosen(self, uri: str, written: Sequence[str]) -> dict[str, str]:
        """The names of the columns that are not left out, by the names as they are written.

        Raises:
            InputError: as of `matched`.
        """
        names = self.matched(uri, written)
        return {name: known for name, known in zip(written, names, strict=True) if known is not None}

    def left_out(self, written: Sequence[str]) -> list[str]:
        """Of columns as they are written, those that are left out, in their order."""
        if self.others != "left out":
            return []
        unknown = self._unknown([self.known(name) for name in written])
        return [name.strip() for name in written if self.known(name) in unknown]

    def _unknown(self, names: Sequence[str]) -> set[str]:
        return {name for name in names if name} - {*self.required, *self.optional}


def _listed(names: Collection[str]) -> str:
    shown = [name if name.isprintable() else repr(name) for name in names]
    return ", ".join(sorted(shown) if isinstance(names, set) else shown)
