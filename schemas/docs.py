"""docs/tables.md, generated from the tables, views and functions: python -m schemas.docs [--check]."""

import sys
from collections.abc import Iterable
from pathlib import Path

from schemas.catalog import TABLES
from schemas.functions import FUNCTIONS, Function
from schemas.table import Table
from schemas.views import VIEWS, View

PAGE = Path("docs/tables.md")

_HEAD = """# The tables

Generated from `schemas/catalog.py` by `make docs`. For everybody who writes SQL over Rollcall's tables:

    rollcall sql --tables ./tables "SELECT decision, count(*) FROM identifications GROUP BY decision"

Every table is a Delta table of its own below the root (`--tables`) or in a catalog schema (`--database`). Other readers
of Delta tables can open them as well: delta-rs (`deltalake`) and polars are tested.
`run_date` is a property of the data, never the day a job ran. All ids are hashes of what they identify.

Below the tables are **views** of what is asked most, and a function. `rollcall sql` knows them all; in a notebook,
`Names(spark, Tables(spark, "./tables")).register()` (of `schemas.names` and `schemas.store`) makes them known to the
session; and where tables are in a catalog schema, `rollcall maintain --database NAME` creates them there, for every
client of the catalog.
"""
_VIEWS = """# The views

Each is a query over the tables, as they are when it is asked. A table that does not exist yet has no rows.
"""
_FUNCTIONS = """# The functions
"""


def page() -> str:
    """The whole page."""
    tables, views = map(_of_table, TABLES.values()), map(_of_view, VIEWS.values())
    return "\n".join([_HEAD, *tables, _VIEWS, *views, _FUNCTIONS, *map(_of_function, FUNCTIONS.values())])


def _of_table(table: Table) -> str:
    lines = [
        f"## {table.name}",
        "",
        f"One row is {table.row}. Written by {table.written_by}.",
        "",
        f"Key: `{', '.join(table.key)}`."
        + (f" Partitioned by `{', '.join(table.partition_by)}`." if table.partition_by else ""),
        "",
        "| column | type | |",
        "|---|---|---|",
        *[
            f"| `{c.name}` | `{_readable(c.type)}`{' or null' if c.nullable else ''} | {c.comment} |"
            for c in table.columns
        ],
        "",
    ]
    if table.constraints:
        lines += ["Checked on every write:", ""]
        lines += [f"- {name.replace('_', ' ')}: `{condition}`" for name, condition in table.constraints.items()]
        lines += [""]
    return "\n".join([*lines, *_examples(table.examples)])


def _of_view(view: View) -> str:
    lines = [f"## {view.name}", "", f"One row is {view.row}.", "", "| column | |", "|---|---|"]
    lines += [f"| `{name}` | {said} |" for name, said in view.columns.items()]
    return "\n".join([*lines, "", *_examples(view.examples)])


def _of_function(function: Function) -> str:
    lines = [f"## {function.name}", "", f"`{function.signature}`: {function.comment}", ""]
    return "\n".join([*lines, *_examples((function.example,))])


def _examples(examples: Iterable[tuple[str, str]]) -> list[str]:
    return [line for title, query in examples for line in (_asked(title), "", "```sql", query, "```", "")]


def _asked(title: str) -> str:
    return title if title.endswith("?") else f"{title}:"


def _readable(kind: str) -> str:
    return kind.replace(":", ": ").replace(",", ", ")


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = page()
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text() == text:
            return 0
        print(f"{PAGE} is not what the tables are; run `make docs`", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
