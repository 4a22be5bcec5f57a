"""sql: ask the tables a question."""

import csv
import json
import sys
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from jobs.options import Context, job_command, run_command


@job_command("sql")
@click.argument("query")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Rows shown at most.")
def command(context: Context, query: str, form: str, limit: int) -> None:
    """Run SQL over the tables, by their names.

    \b
    rollcall sql --tables ./tables "SELECT decision, count(*) FROM identifications GROUP BY decision"

    docs/tables.md describes the tables and has queries to start from.
    """
    context.tables.register_views()
    found = context.spark.sql(query)
    rows = found.limit(limit + 1).collect()
    if len(rows) > limit:
        context.say(f"sql: only the first {limit:,} rows are shown; see --limit")
    _PRINT[form](found.columns, [row.asDict(recursive=True) for row in rows[:limit]])


def _print_table(names: list[str], rows: list[dict[str, Any]]) -> None:
    table = Table(*names, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*["" if value is None else str(value) for value in row.values()])
    Console(width=None if Console().is_terminal else 200).print(table)


def _print_csv(names: list[str], rows: list[dict[str, Any]]) -> None:
    writer = csv.DictWriter(sys.stdout, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _print_json(names: list[str], rows: list[dict[str, Any]]) -> None:
    del names
    for row in rows:
        click.echo(json.dumps(row, default=str, ensure_ascii=False))


_PRINT = {"table": _print_table, "csv": _print_csv, "json": _print_json}


if __name__ == "__main__":
    run_command(command)
