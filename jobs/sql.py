"""sql: ask the tables a question, or many in a shell."""

import sys
from typing import TextIO

import click
from pyspark.errors import AnalysisException

from jobs.queries.questions import Questions
from jobs.queries.statements import split
from jobs.run.context import Context
from jobs.run.errors import one_line, run_command
from jobs.run.options import job
from pages.answers import FORMS
from udfs.errors import InputError


@job("sql", short=True)
@click.argument("query", required=False)
@click.option("--file", type=click.File(encoding="utf-8"), help="Statements of a file, or - for standard input.")
@click.option("--format", "form", type=click.Choice(FORMS), default="table", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="Rows shown at most.")
@click.option("--write", is_flag=True, help="Allow statements that change tables; otherwise they are refused.")
def sql(context: Context, query: str | None, file: TextIO | None, form: str, limit: int, write: bool) -> None:
    """Run SQL over the tables, by their names: one query, the statements of a file, or a shell.

    \b
    rollcall sql --tables ./tables "SELECT decision, count(*) FROM identifications GROUP BY decision"
    rollcall sql --tables ./tables --file questions.sql --format csv
    rollcall sql --tables ./tables

    In the shell a semicolon ends a statement, Tab completes names, Ctrl-C stops a query, and \\? lists the commands.
    Of several statements, the first that fails ends the command. docs/tables.md describes the tables and has queries
    to start from.
    """
    if query is not None and file is not None:
        raise InputError("give a query or --file, not both")
    questions = Questions(context, form, limit, write)
    if file is not None:
        query = file.read()
    if query is not None:
        statements, rest = split(query)
        every = [*statements, *([rest] if rest else [])]
        for number, statement in enumerate(every, 1):
            which = f"statement {number} of {len(every)}: " if len(every) > 1 else ""
            try:
                questions.ask(statement)
            except (AnalysisException, InputError) as error:  # of what was typed; another try will fail again
                raise InputError(f"{which}{one_line(error)}") from error
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("the shell needs a terminal; give a query, or --file FILE (- for standard input)")
    from jobs.queries import shell  # prompt_toolkit is imported where it is used

    shell.run(questions)


command = sql.command

if __name__ == "__main__":
    run_command(command)
