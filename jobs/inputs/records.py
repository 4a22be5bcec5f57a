"""Rows that a user gives: a CSV, Parquet or Delta file with columns of known names."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from reprlib import Repr
from typing import Any, TypeGuard
from uuid import UUID

from jobs.inputs import csv_rows, person_ids, photo_uri, table_rows
from jobs.inputs.columns import Columns, Others
from jobs.run.context import Context
from udfs import lake
from udfs.errors import InputError

_EXACT = 2**53
"""Floating point knows every whole number below this one."""
_SHOWN = Repr()
_SHOWN.maxstring = _SHOWN.maxother = 80
"""Shortens values in messages: a cell may hold an image."""


@dataclass(frozen=True)
class Record:
    """One row, and where it stands, for messages: `FILE: line 7`."""

    where: str
    values: dict[str, Any]

    def text(self, name: str) -> str:
        """A value as text without spaces around it; empty where there is none. A whole number is written as one, also
        where its column is of floating point or decimals.

        Raises:
            InputError: bytes that are not UTF-8.
        """
        return _as_text(f"{self.where}: {name}", self.values.get(name))

    def texts(self, name: str) -> list[str]:
        """The texts of an array, or those between the `;` of one text; none of them empty.

        Raises:
            InputError: it is neither, or bytes that are not UTF-8.
        """
        value = self.values.get(name)
        where = f"{self.where}: {name}"
        if not isinstance(value, list):
            if not isinstance(value, str | bytes) and _as_text(where, value):
                raise InputError(f"{where} must be an array of strings, or text with `;` between them")
            value = _as_text(where, value).split(";")
        return [text for text in (_as_text(where, each) for each in value) if text]

    def person(self, name: str) -> str:
        """A person's id in its normal form; empty where there is none.

        Raises:
            InputError: it is not text nor a whole number, or contains what cannot be seen.
        """
        self._refuse_what_names_nothing(name)
        return person_ids.normal(f"{self.where}: {name}", self.text(name))

    def uri(self, name: str, beside: str) -> str:
        """The URI of a photo, which may be relative to the folder that the file `beside` is in; empty where there is
        none.

        Raises:
            InputError: it is not a URI, or of a store that cannot be read.
        """
        self._refuse_what_names_nothing(name)
        written = self.text(name)
        try:
            return photo_uri.absolute(beside, written) if written else ""
        except InputError as error:
            raise InputError(f"{self.where}: {name}: {error}") from error

    def _refuse_what_names_nothing(self, name: str) -> None:
        value = self.values.get(name)
        if isinstance(value, str) or (
            isinstance(value, float) and isnan(value)
        ):  # as pandas writes where there is nothing
            return
        if isinstance(value, bool) or not (value is None or isinstance(value, bytes | UUID) or _is_whole(value)):
            raise InputError(f"{self.where}: {name} is {_SHOWN.repr(value)}; write it as text or as a whole number")
        if isinstance(value, float) and abs(value) >= _EXACT:
            raise InputError(
                f"{self.where}: {name} is {value!r}, whose last digits are lost; write the column as text or integers"
            )


def _as_text(where: str, value: object) -> str:
    if isinstance(value, str):  # which most are, and lists are long
        return value.strip()
    if value is None or (isinstance(value, float) and isnan(value)):  # NaN, which pandas writes where there is nothing
        return ""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{where} is {_SHOWN.repr(value)}, which is not text; write it as text") from error
    return str(int(value) if _is_whole(value) else value).strip()


def _is_whole(value: object) -> TypeGuard[int | float | Decimal]:
    if isinstance(value, float):
        return value.is_integer()
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


_TEXTS = (".csv", ".tsv", ".txt")
"""Ends of the names of texts with separators; Excel ends those with tabs in .txt."""


def is_rows(uri: str) -> bool:
    """Whether this is a file or table of rows, and no folder of photos."""
    return uri.lower().rstrip("/").endswith((*_TEXTS, ".parquet")) or _is_delta(uri)


def read(
    context: Context,
    uri: str,
    required: Collection[str],
    optional: Collection[str] = (),
    others: Others = "refused",
) -> list[Record]:
    """The rows of a text (`.csv`, `.tsv`, `.txt`), a `.parquet` (a file, or a folder of files as Spark writes it), or a
    Delta table.

    others: what becomes of columns of other names. Those that are left out are said.

    Raises:
        InputError: it cannot be read, or its columns are not these.
    """
    columns = Columns(required, optional, others)
    if uri.lower().endswith(_TEXTS):
        rows, written = csv_rows.read(uri, columns)
    elif uri.lower().rstrip("/").endswith(".parquet"):
        rows, written = table_rows.from_parquet(uri, columns)
    elif _is_delta(uri):
        rows, written = table_rows.from_delta(context, uri, columns)
    else:
        raise InputError(f"{uri}: is not a .csv, .tsv or .txt file, a .parquet file or folder, or a Delta table")
    if left_out := columns.left_out(written):
        context.log.info(f"{context.job}: columns left out of {uri}: {', '.join(left_out)}")
    return [Record(*row) for row in rows]


def _is_delta(uri: str) -> bool:
    return any(name.rstrip("/").endswith("/_delta_log") for name in lake.list_directory(uri).directories)
