"""Rows of an Arrow table as Python has them."""

from typing import Any

import pyarrow as pa

from udfs.errors import InputError


def of_table(where: str, table: pa.Table) -> list[tuple[str, dict[str, Any]]]:
    """Where each row stands (`FILE: row 7`, from 1), and its values by the names of their columns.

    Raises:
        InputError: a value that Python cannot write: a date beyond the year 9999, a text that is not UTF-8. It names
            the row.
    """
    values = [_values(where, name, column) for name, column in zip(table.column_names, table.columns, strict=True)]
    return [
        (f"{where}: row {at + 1}", dict(zip(table.column_names, (column[at] for column in values), strict=True)))
        for at in range(table.num_rows)
    ]


_CANNOT_BE_WRITTEN = (ValueError, OverflowError, LookupError, pa.ArrowException)
"""pyarrow's words for a year or text that Python does not have, and for a time zone that the machine does not know."""


def _values(where: str, name: str, column: pa.ChunkedArray) -> list[Any]:
    try:
        return column.to_pylist()
    except _CANNOT_BE_WRITTEN:
        return [_value(f"{where}: row {at}", name, cell) for at, cell in enumerate(column, start=1)]


def _value(where: str, name: str, cell: pa.Scalar) -> Any:
    try:
        return cell.as_py()
    except _CANNOT_BE_WRITTEN as error:
        problem = " ".join(str(error).split())
        helps = "write a date from 0001-01-01 to 9999-12-31, and texts in UTF-8"
        if isinstance(error, LookupError):
            helps = "write times in UTC, or in a time zone that this machine knows"
        raise InputError(f"{where}: {name} cannot be read: {problem}; {helps}") from error
