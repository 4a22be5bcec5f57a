"""Completes SQL in the shell: its words, the tables, and the columns of the tables that a statement names."""

import re
from collections.abc import Iterable

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from jobs.queries.functions import DESCRIBED
from jobs.queries.statements import without_contents
from schemas.catalog import TABLES
from schemas.names import NAMES
from schemas.views import VIEWS

WORDS = [
    "ALL",
    "AND",
    "ANTI",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COUNT",
    "CROSS",
    "DATE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "HISTORY",
    "IN",
    "INNER",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LATERAL",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MAX",
    "MIN",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "QUALIFY",
    "RIGHT",
    "ROW_NUMBER",
    "SELECT",
    "SEMI",
    "SET",
    "SHOW",
    "SUM",
    "TABLES",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "VERSION",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
]
COMMANDS = {
    "\\d": "the tables; \\d TABLE: its columns",
    "\\timing": "say how long each statement takes, or no longer",
    "\\?": "this help",
    "\\q": "end",
}
"""Of the shell, beside SQL."""


class SqlCompleter(Completer):
    """Offers what begins as the word before the cursor, in either case."""

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The completions at the cursor."""
        before = document.text_before_cursor.lstrip()
        if before.startswith("\\"):
            command, space, begun = before.partition(" ")
            offered: Iterable[str] = [*TABLES, *VIEWS] if space and command == "\\d" else [] if space else COMMANDS
            begun = begun if space else command
        else:
            begun = document.get_word_before_cursor(pattern=re.compile(r"\w+"))
            offered = _offered(document.text) if begun else []
        for word in offered:
            if word.lower().startswith(begun.lower()):
                yield Completion(word, start_position=-len(begun))


def _offered(statement: str) -> list[str]:
    """Columns of the tables and views that a statement names, or else of all; these, and functions; words of SQL."""
    said = set(re.findall(r"\w+", without_contents(statement).lower()))
    columns = {name: list(_columns(name)) for name in [*TABLES, *VIEWS]}
    named = [name for name in columns if name in said] or columns
    return [*dict.fromkeys(column for name in named for column in columns[name]), *NAMES, *DESCRIBED, *WORDS]


def _columns(name: str) -> Iterable[str]:
    return TABLES[name].names if name in TABLES else VIEWS[name].columns
