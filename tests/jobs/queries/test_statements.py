"""Texts of SQL are cut where Spark's lexer sees a semicolon."""

import pytest

from jobs.queries.statements import split, without_contents


@pytest.mark.parametrize(
    ("text", "statements", "rest"),
    [
        ("SELECT 1", [], "SELECT 1"),
        ("SELECT 1;", ["SELECT 1"], ""),
        ("SELECT 1; SELECT\n 2 ;\n", ["SELECT 1", "SELECT\n 2"], ""),
        (";; ;", [], ""),
        ("SELECT ';' , \";\", `;`; x", ["SELECT ';' , \";\", `;`"], "x"),
        (r"SELECT 'it\'s; one'; x", [r"SELECT 'it\'s; one'"], "x"),
        ("SELECT 'it''s; one'; x", ["SELECT 'it''s; one'"], "x"),
        (r"SELECT r'\'; x", [r"SELECT r'\'"], "x"),
        (r"SELECT '\\'; x", [r"SELECT '\\'"], "x"),
        ("SELECT `a``;`; x", ["SELECT `a``;`"], "x"),
        ("SELECT 1 -- no; end\n; x", ["SELECT 1 -- no; end"], "x"),
        ("SELECT 1 -- goes \\\n on; x\n; y", ["SELECT 1 -- goes \\\n on; x"], "y"),
        ("SELECT /* ; /* ; */ ; */ 1; x", ["SELECT /* ; /* ; */ ; */ 1"], "x"),
        ("SELECT /*+ BROADCAST(a) */ 1;", ["SELECT /*+ BROADCAST(a) */ 1"], ""),
        ("-- a comment alone;\n", [], ""),
        ("/* alone */ ;", [], ""),
        ("SELECT 1; -- behind", ["SELECT 1"], ""),
        ("SELECT 'open; x", [], "SELECT 'open; x"),
        ("SELECT 1; SELECT `open; x", ["SELECT 1"], "SELECT `open; x"),
        ("SELECT 1; /* open; x", ["SELECT 1"], "/* open; x"),
        ("SELECT bar'; '; x", ["SELECT bar'; '"], "x"),
        ("", [], ""),
    ],
)
def test_split(text: str, statements: list[str], rest: str) -> None:
    assert split(text) == (statements, rest)


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("SELECT 'a''b', r'c', \"d\", `e` -- f", "SELECT '''', '', \"d\", `e`  "),
        ("a/* b /* c */ */d", "a d"),
        ("a /* b", "a "),
    ],
)
def test_without_contents(statement: str, left: str) -> None:
    assert without_contents(statement) == left
