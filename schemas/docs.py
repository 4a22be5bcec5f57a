"""docs/tables.md, generated from the tables: python -m schemas.docs [--check]."""

import sys
from pathlib import Path

from schemas.catalog import TABLES
from schemas.table import Table

PAGE = Path("docs/tables.md")

_HEAD = """# The tables

Generated from `schemas/catalog.py` by `make docs`. For everybody who writes SQL over Rollcall's tables:

    rollcall sql --tables ./tables "SELECT decision, count(*) FROM identifications GROUP BY decision"

Every table is a Delta table of its own below the root (`--tables`) or in a catalog schema (`--database`). Other readers
of Delta tables can open them as well: delta-rs (`deltalake`) and polars are tested.
`run_date` is a property of the data, never the day a job ran. All ids are hashes of what they identify.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *map(_section, TABLES.values())])


def _section(table: Table) -> str:
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
    for title, query in table.examples:
        lines += [f"{title}:", "", "```sql", query, "```", ""]
    return "\n".join(lines)


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
