"""The answer to a query, printed for a person or for a program."""

import csv
import json
import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from udfs.errors import InputError

Rows = Sequence[tuple[Any, ...]]


def write(form: str, names: list[str], rows: Rows) -> None:
    """Print rows in one of FORMS to standard output.

    Raises:
        InputError: the form cannot hold them.
    """
    _WRITE[form](names, rows)


def _write_table(names: list[str], rows: Rows) -> None:
    # As Text: in a plain string rich takes `[retired]` for markup, and leaves it out.
    table = Table(*[Column(Text(name)) for name in names], box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*[Text("" if value is None else str(value)) for value in row])
    Console(width=None if Console().is_terminal else 200).print(table)


def _write_csv(names: list[str], rows: Rows) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def _write_json(names: list[str], rows: Rows) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two columns are called {twice[0]!r}, which JSON cannot hold; rename one with AS")
    for row in rows:
        print(json.dumps(dict(zip(names, row, strict=True)), default=str, ensure_ascii=False))


_WRITE = {"table": _write_table, "csv": _write_csv, "json": _write_json}
FORMS = tuple(_WRITE)
