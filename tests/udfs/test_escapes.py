"""What pages and JSON files write otherwise is read as a person reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from udfs.escapes import unescaped


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("O&#39;Brien", "O'Brien"),
        ("A &amp; B", "A & B"),
        (r"Jos\u00e9", "José"),
        (r"\ud83d\ude00", "😀"),
        (r"\u12", r"\u12"),
    ],
)
def test_escapes(written: str, read: str) -> None:
    assert unescaped(written) == read


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\&;")))
def test_a_name_in_a_page_and_in_json(name: str) -> None:
    assert unescaped(str(escape(name))) == name
    assert unescaped(json.dumps(name)[1:-1].replace('\\"', '"')) == name
