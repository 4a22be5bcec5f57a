"""Cuts a text of SQL into its statements, as Spark's lexer reads strings, names in backticks and comments."""

import re

_TOKEN = re.compile(
    r"""(?P<raw>[rR](?:'[^']*'|"[^"]*")) | (?P<string>'(?:[^'\\]|\\.)*') | (?P<double>"(?:[^"\\]|\\.)*")
      | (?P<name>`(?:[^`]|``)*`) | (?P<line>--(?:\\\n|[^\n])*) | (?P<open>/\*) | (?P<end>;)
      | (?P<word>\w+) | (?P<unclosed>['"`]) | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")


def split(text: str) -> tuple[list[str], str]:
    """The statements of a text that a semicolon ends, without it; and what stands behind the last one. Of both, nothing
    is given that holds comments alone; of what is behind, only if a string, name or comment in it is not closed.
    """
    statements: list[str] = []
    start = position = 0
    said = False
    while position < len(text):
        found = _TOKEN.match(text, position)
        assert found is not None  # `other` takes any character
        kind, position = found.lastgroup, found.end()
        if kind == "end":
            if said:
                statements.append(text[start : position - 1].strip())
            start, said = position, False
        elif kind == "open":
            position = _comment_end(text, position)
            if position < 0:
                return statements, text[start:].strip()
        elif kind == "unclosed":
            return statements, text[start:].strip()
        elif kind != "line":
            said = said or not found[0].isspace()
    return statements, text[start:].strip() if said else ""


def without_contents(statement: str) -> str:
    """A statement with empty strings and without comments: what is left is SQL's own words and names. What stands in
    double quotes is a name as well, if the session says so.
    """
    kept: list[str] = []
    position = 0
    while position < len(statement):
        found = _TOKEN.match(statement, position)
        assert found is not None
        kind, position = found.lastgroup, found.end()
        if kind == "open":
            position = _comment_end(statement, position)
            if position < 0:
                break
        kept.append({"raw": "''", "string": "''", "line": " ", "open": " "}.get(str(kind), found[0]))
    return "".join(kept)


def _comment_end(text: str, position: int) -> int:
    """Where a comment ends that began before a position; comments may hold comments. -1 if it does not end."""
    depth = 1
    while depth:
        found = _COMMENT.search(text, position)
        if found is None:
            return -1
        depth += 1 if found[0] == "/*" else -1
        position = found.end()
    return position
