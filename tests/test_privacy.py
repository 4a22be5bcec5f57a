"""docs/privacy.md says of every table what its columns carry."""

import re

from jobs.erasure.rows import BY_DIGEST, ORDER, UNTOUCHED
from schemas.catalog import TABLES
from schemas.table import CARRIED
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "privacy.md").read_text("utf-8")


def test_what_each_table_carries_is_said() -> None:
    said = {name: set(kinds.split(", ")) for name, kinds in re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", PAGE, re.M)}
    said = {name: kinds for name, kinds in said.items() if name in TABLES}
    carried = {
        name: {column.carries for column in table.columns} - {None, "nothing"} or {"nothing"}
        for name, table in TABLES.items()
    }
    assert said == carried


def test_every_kind_is_explained() -> None:
    explained = PAGE.split("The tables, each a folder")[0]
    rows = re.findall(r"^\| ([a-z, ]+) \|", explained, re.M)
    assert {kind for row in rows for kind in row.split(", ")} - {"kind"} == set(CARRIED) - {"nothing"}


def test_every_table_is_erased_or_says_nothing_of_anybody() -> None:
    assert sorted([*ORDER, *BY_DIGEST, *UNTOUCHED]) == sorted(TABLES)
    tells = {"person", "name", "image", "face", "sample", "uri", "embedding", "words"}
    for name in UNTOUCHED:
        assert not tells & {column.carries for column in TABLES[name].columns}
