"""sql: ask the tables a question."""

import csv
import json
import sys
from typing import Any

import click
from pyspark.sql import Row
from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job
from udfs.errors import InputError


@job("sql", short=True)
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Rows shown at most.")
def sql(context: Context, query: str, form: str, limit: int) -> None:
    """Run SQL over the tables, by their names.

    \b
    rollcall sql --tables ./tables "SELECT decision, count(*) FROM identifications GROUP BY decision"

    docs/tables.md describes the tables and has queries to start from.
    """
    context.tables.register_views(query)
    found = context.spark.sql(query)
    rows = found.limit(limit + 1).collect()
    if len(rows) > limit:
        context.log.info(f"sql: only the first {limit:,} rows are shown; --limit shows more")
    _PRINT[form](found.columns, [tuple(_plain(value) for value in row) for row in rows[:limit]])


def _plain(value: Any) -> Any:
    """A value without Spark's rows in it. The result's own rows stay tuples: two of its columns may share a name."""
    if isinstance(value, Row):
        return {name: _plain(part) for name, part in value.asDict().items()}
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, list) else value


def _print_table(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    # As Text: in a plain string rich takes `[retired]` for markup, and leaves it out.
    table = Table(*[Column(Text(name)) for name in names], box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*[Text("" if value is None else str(value)) for value in row])
    Console(width=None if Console().is_terminal else 200).print(table)


def _print_csv(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def _print_json(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"two columns are called {twice[0]!r}, which JSON cannot hold; rename one with AS")
    for row in rows:
        click.echo(json.dumps(dict(zip(names, row, strict=True)), default=str, ensure_ascii=False))


_PRINT = {"table": _print_table, "csv": _print_csv, "json": _print_json}


command = sql.command

if __name__ == "__main__":
    run_command(command)
