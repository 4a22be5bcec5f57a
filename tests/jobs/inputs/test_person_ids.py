"""The normal form of ids."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.inputs.person_ids import normal
from udfs.errors import InputError


@pytest.mark.parametrize(
    ("written", "person"),
    [("José", "José"), ("Jose\u0301", "José"), (" lead", "lead"), ("trail \t\n", "trail"), ("\u00a0a b\u3000", "a b")],
)
def test_ids_that_look_alike_are_one(written: str, person: str) -> None:
    assert normal("x", written) == person


@pytest.mark.parametrize(
    "character", ["\0", "\x1b", "\x85", "\u00ad", "\u200b", "\u200e", "\u202e", "\u2028", "\u2066", "\u2060", "\ufe0f"]
)
def test_what_cannot_be_seen_is_refused(character: str) -> None:
    with pytest.raises(InputError, match=rf"x: the id .* contains U\+{ord(character):04X} \("):
        normal("x", f"a{character}b")


@given(st.text())
def test_the_normal_form_of_any_text_is_its_own(written: str) -> None:
    try:
        person = normal("x", written)
    except InputError:
        return
    assert normal("x", person) == person
    assert normal("x", f" {unicodedata.normalize('NFD', person)} ") == person
