"""No spreadsheet computes what Rollcall writes, and what it wrote is read as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.cells import guarded, unguarded


@pytest.mark.parametrize(
    "formula",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0"],
)
def test_formulas_are_text(formula: str) -> None:
    assert guarded(formula) == f"'{formula}"


@pytest.mark.parametrize("text", ["", "ann", "a=1", "1-2", " =1", "'quoted'", "o'neil"])
def test_other_texts_are_as_they_were(text: str) -> None:
    assert guarded(text) == unguarded(text) == text


@given(st.text(alphabet="'=+-@\t\r\na ", max_size=6))
def test_what_was_written_comes_back(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in tuple("=+-@\t\r\n")
