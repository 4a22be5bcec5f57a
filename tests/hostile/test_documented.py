"""docs/hostile_input.md and docs/access.md say what is so."""

import re

from schemas.catalog import TABLES
from schemas.views import VIEWS
from tests.conftest import ROOT


def rows(page: str) -> list[list[str]]:
    """The cells of all tables of a page, heads left out."""
    lines = (ROOT / "docs" / page).read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return [
        row
        for at, row in enumerate(cells)
        if not set("".join(row)) <= {"-"} and cells[at + 1 : at + 2] != [["---"] * len(row)]
    ]


def test_every_hostile_input_has_a_test() -> None:
    documented = rows("hostile_input.md")
    assert len(documented) >= 60
    for _, _, test in documented:
        file, _, name = test.strip("`").partition("::")
        source = (ROOT / "tests" / file).read_text("utf-8")
        assert f"def {name or 'test_'}" in source, test


def test_every_hostile_test_is_documented() -> None:
    documented = {test.strip("`") for _, _, test in rows("hostile_input.md")}
    others = {"test_a_list_of_many_photos_is_read", "test_what_a_spreadsheet_keeps_from_computing_is_read_as_it_was"}
    for file in sorted((ROOT / "tests" / "hostile").glob("test_*.py")):
        if file.name == "test_documented.py":
            continue
        for name in re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE):
            assert f"hostile/{file.name}::{name}" in documented or name in others


def test_what_holds_embeddings_is_said() -> None:
    listed = {name: row for row in rows("access.md") if len(row) == 4 for name in re.findall(r"`(\w+)`", row[0])}
    assert set(TABLES) <= set(listed)
    written = {name: " ".join(f"{each.name}: {each.type}" for each in table.columns) for name, table in TABLES.items()}
    holding = {name for name, columns in written.items() if re.search(r"\bembedding:", columns)}
    assert {name for name in TABLES if "embeddings" in listed[name][1]} == holding
    named = {name for name, table in TABLES.items() if {"person_id", "name"} & set(table.names)}
    assert named <= {name for name in TABLES if listed[name][2]}
    located = {name for name, table in TABLES.items() if any("uri" in column for column in table.names)}
    assert located <= {name for name in TABLES if listed[name][3]}


def test_no_view_has_an_embedding() -> None:
    for view in VIEWS.values():
        assert "embedding" not in view.columns
