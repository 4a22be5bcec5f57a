"""Completion in the shell."""

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from jobs.queries.completion import COMMANDS, SqlCompleter
from schemas.catalog import TABLES
from schemas.views import VIEWS


def offered(text: str) -> list[str]:
    return [found.text for found in SqlCompleter().get_completions(Document(text), CompleteEvent())]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("sel", ["SELECT"]),
        ("SELECT * FROM identif", ["identifications"]),
        ("SELECT simil", ["similarity"]),
        ("SELECT\n  f.ordi", ["ordinal"]),
        ("SELECT error FROM runs WHERE j", ["job", "JOIN"]),  # and no column of another table
        ("\\d gal", ["gallery", "gallery_now"]),
        ("\\t", ["\\timing"]),
        ("\\timing x", []),
        ("SELECT ", []),
    ],
)
def test_what_is_offered(typed: str, words: list[str]) -> None:
    assert offered(typed) == words


def test_all_commands_and_tables() -> None:
    assert offered("\\") == list(COMMANDS)
    assert offered("\\d ") == [*TABLES, *VIEWS]
