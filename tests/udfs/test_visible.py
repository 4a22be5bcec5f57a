"""Names that steer a terminal come out as text."""

import json

import pytest

from udfs.visible import visible, visible_json

RED = "\x1b[31mred\x1b[0m"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Zoë 李 \N{GRINNING FACE}", "Zoë 李 \N{GRINNING FACE}"),
        (RED, r"\x1b[31mred\x1b[0m"),
        ("\x9b31mred", r"\x9b31mred"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("over\rwritten", r"over\rwritten"),
        ("back\x08\x7f", r"back\x08\x7f"),
        ("two\nlines", r"two\nlines"),
        ("a\u2028b", r"a\u2028b"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("\u2066isolated\u2069", r"\u2066isolated\u2069"),
        ("half \udcff", r"half \udcff"),
    ],
)
def test_what_steers_is_written_out(text: str, said: str) -> None:
    assert visible(text) == said
    assert visible(said) == said


def test_what_may_stay() -> None:
    assert visible("two\nlines\t\x1b", keep="\n\t") == "two\nlines\t\\x1b"


@pytest.mark.parametrize("text", [RED, "\x9b31m", "\u202eexe", "half \udcff", "\x7f"])
def test_json_stays_the_same_document(text: str) -> None:
    document = visible_json(json.dumps({"name": text}, ensure_ascii=False, indent=1))
    assert json.loads(document) == {"name": text}
    assert document.replace("\n", "").isprintable()
