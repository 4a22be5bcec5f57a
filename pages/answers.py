"""The answer to a query, printed for a person or for a program."""

import csv
import json
import math
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from udfs.cells import guarded
from udfs.errors import InputError
from udfs.visible import visible, visible_json

Rows = Sequence[tuple[Any, ...]]
"""Of None, bool, int, float and str, and of lists and dicts of these."""


def write(form: str, names: list[str], rows: Rows) -> None:
    """Print rows in one of FORMS to standard output.

    Raises:
        InputError: the form cannot hold them.
    """
    _WRITE[form](names, rows)


def _write_table(names: list[str], rows: Rows) -> None:
    # As Text: in a plain string rich takes `[retired]` for markup, and leaves it out.
    table = Table(*[Column(Text(visible(name))) for name in names], box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*[Text(visible(_text(value), keep="\n")) for value in row])
    Console(width=None if Console().is_terminal else 200).print(table)


def _write_lines(names: list[str], rows: Rows) -> None:
    """One record below the other, a line a column: for tables with more columns than a screen."""
    width = max((len(visible(name)) for name in names), default=0)
    for number, row in enumerate(rows, 1):
        print(f"-- {number} --")
        for name, value in zip(names, row, strict=True):
            begin, *more = visible(_text(value), keep="\n").split("\n")
            print(f"{visible(name):{width}}  {begin}".rstrip())
            for line in more:
                print(f"{'':{width}}  {line}".rstrip())


def _write_csv(names: list[str], rows: Rows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    shown = partial(visible, keep="\n") if sys.stdout.isatty() else str
    writer.writerow([shown(guarded(name)) for name in names])
    writer.writerows([shown(_cell(value)) for value in row] for row in rows)


def _write_json(names: list[str], rows: Rows) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two columns are called {twice[0]!r}, which JSON cannot hold; rename one with AS")
    for row in rows:
        print(_json(dict(zip(names, row, strict=True))))


def _cell(value: Any) -> str:
    """A value in a CSV. What is text stays text in a spreadsheet; a number may begin with a minus."""
    return guarded(value) if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    """A value as a cell: nothing for null, and JSON for what has parts."""
    if value is None:
        return ""
    if isinstance(value, bool | list | dict):
        return _json(value)
    return str(value)


def _json(value: Any) -> str:
    return visible_json(json.dumps(_finite(value), ensure_ascii=False))


def _finite(value: Any) -> Any:
    """JSON knows neither NaN nor infinity: they are text."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    return [_finite(part) for part in value] if isinstance(value, list) else value


_WRITE = {"table": _write_table, "lines": _write_lines, "csv": _write_csv, "json": _write_json}
FORMS = tuple(_WRITE)
