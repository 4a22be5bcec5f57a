"""sql: ask the tables a question."""

import click
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
    rows = context.spark.sql(query).limit(limit + 1).toPandas()
    if len(rows) > limit:
        context.say(f"sql: only the first {limit:,} rows are shown; see --limit")
        rows = rows.head(limit)
    if form == "csv":
        click.echo(rows.to_csv(index=False), nl=False)
    elif form == "json":
        click.echo(rows.to_json(orient="records", lines=True, date_format="iso"), nl=False)
    else:
        table = Table(*[str(name) for name in rows.columns])
        for row in rows.itertuples(index=False):
            table.add_row(*["" if value is None else str(value) for value in row])
        Console(width=None if Console().is_terminal else 200).print(table)


if __name__ == "__main__":
    run_command(command)
