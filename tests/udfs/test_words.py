"""Names, ids and URIs are found in free text where they stand as a whole, and nowhere else."""

import pytest

from udfs.words import ERASED, Words, tokens

URI = "file:///people/anna/1.jpg"
WORDS = Words.of(["anna", "Anna Øst", "/people/anna/1.jpg"], [URI, "0a" * 16])


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("anna", ERASED),
        ("nobody called 'anna' is in force", f"nobody called '{ERASED}' is in force"),
        ("It is anna.", f"It is {ERASED}."),
        ("is it Anna Øst?", f"is it {ERASED}?"),
        (f"{URI}: cannot be read", f"{ERASED}: cannot be read"),
        (f"[{URI}, b.jpg]", f"[{ERASED}, b.jpg]"),
        (f"face {'0a' * 16}.", f"face {ERASED}."),
        ("--photo=/people/anna/1.jpg", f"--photo={ERASED}"),
        ("/people/anna/2.jpg", f"/people/{ERASED}/2.jpg"),
        (f"is it {URI}?", f"is it {ERASED}?"),
        (f"“{URI}” it is!", f"“{ERASED}” it is!"),
    ],
)
def test_words_go(text: str, without: str) -> None:
    assert WORDS.in_text(text)
    assert WORDS.without(text) == without


@pytest.mark.parametrize(
    "text", ["", "annabel", "joanna", "anna-belle", "x.anna", "anna.b", "0a" * 17, "Anna", "anna_1"]
)
def test_others_stay(text: str) -> None:
    assert WORDS.without(text) == text
    assert not WORDS.in_text(text)


@pytest.mark.parametrize("uri", ["s3a://lake/run_date=2026-01-01/a.jpg", "/lake/gate 3/a (1).jpg", "a,b.jpg"])
def test_a_table_of_images_may_have_any_uri(uri: str) -> None:
    words = Words.of([], [uri])
    assert words.without(f"see {uri}, and ask") == f"see {ERASED}, and ask"
    assert not words.in_text(f"{uri}2")
    if " " not in uri:
        assert uri in tokens(f"see '{uri}'.")


def test_nothing_is_looked_for() -> None:
    assert Words.of([""], [""]).without("anything [at all]") == "anything [at all]"
