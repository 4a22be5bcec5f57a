"""The rows of a CSV as people and their programs write it: with commas, semicolons, tabs or bars."""

import csv
import io
import re
from collections.abc import Iterator

from jobs.inputs import text_file
from jobs.inputs.columns import Columns
from udfs.cells import unguarded
from udfs.errors import InputError

_SEPARATORS = (",", ";", "\t", "|")
_SAYS_SEPARATOR = re.compile(r"\ufeff?\"?sep=([^\w\s\"]|\t)\"?[ \t]*(\r\n|\r|\n|\Z)", re.IGNORECASE)
"""The first line by which Excel is told what separates fields."""
_HEADER_AT_MOST = 1 << 16
"""Characters that are looked at for the separator."""

Row = tuple[str, dict[str, str]]
"""Where it stands, and its fields by the names of their columns."""


def read(uri: str, columns: Columns) -> tuple[list[Row], list[str]]:
    """The rows of a CSV, and the names of all its columns as they are written. Rows of nothing but separators are
    skipped.

    Fields are separated as a first line `sep=;` says, else by the separator that makes a header of the most known
    columns. Spaces around a field count for nothing, nor does the apostrophe by which a spreadsheet takes it for text.

    Raises:
        InputError: it cannot be read, is not UTF-8, or its columns are not these; or a line is malformed, and is named.
    """
    text = text_file.read(uri)
    said = _SAYS_SEPARATOR.match(text)
    begin = said.end() if said else 0
    separator = said[1] if said else _likely_separator(text, columns)
    lines = _lines(uri, text[begin:], separator, 1 if said else 0)
    where, header = next(lines, (uri, []))
    names = columns.matched(where if header else uri, header)
    # A separator at the end of each line makes a column without a name, which does no harm while it is empty.
    nameless = [at for at, name in enumerate(header) if columns.others == "refused" and not name.strip()]
    rows = []
    for where, fields in lines:
        if len(fields) != len(header):
            raise InputError(
                f"{where}: has another number of fields than the header, {len(fields)} and not {len(header)}; put"
                " quotes around a field with a separator in it"
            )
        for at in nameless:
            if fields[at].strip():
                raise InputError(
                    f"{where}: the header has no name for field {at + 1}, {fields[at]!r}; name the column, or leave it"
                    " out: --allow-other-columns"
                )
        given = {name: unguarded(field) for name, field in zip(names, fields, strict=True) if name is not None}
        rows.append((where, given))
    return rows, header


def _likely_separator(text: str, columns: Columns) -> str:
    """The separator that makes a header of the most known columns; the comma, if none does better."""

    def known(separator: str) -> int:
        try:
            _, header = next(_lines("", text[:_HEADER_AT_MOST], separator, 0), ("", []))
        except InputError:  # with this separator; with the one that is chosen it is raised again
            return 0
        return sum(columns.known(name) in (*columns.required, *columns.optional) for name in header)

    return max(_SEPARATORS, key=known)


def _lines(uri: str, text: str, separator: str, before: int) -> Iterator[tuple[str, list[str]]]:
    """The fields of each line that has any, and where it begins. before: lines that stand before the text."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True)
    while True:
        where = f"{uri}: line {before + reader.line_num + 1}"
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem = "a quote is opened and never closed" if "unexpected end" in str(error) else str(error)
            raise InputError(f"{where}: {problem}; correct its quotes") from error
        if any(field.strip() for field in fields):
            yield where, fields
