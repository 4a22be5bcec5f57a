"""Text that comes from outside, as a terminal may show it: a name must not steer the terminal of whoever reads it."""

import re

_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, of which ESC and CSI begin the sequences of terminals; marks that turn the direction in which
text is read, so that it looks like another; ends of lines; and halves of characters, which cannot be printed."""


def visible(text: str, keep: str = "") -> str:
    r"""The text, with characters that steer a terminal written out as in Python: \x1b. keep: those that may stay."""
    if text.isascii() and text.isprintable():  # most is
        return text
    return _STEERING.sub(lambda found: found[0] if found[0] in keep else ascii(found[0])[1:-1], text)


def visible_json(text: str) -> str:
    """The same of a JSON document, which stays the same document: JSON itself writes out those below U+0020."""
    return _STEERING.sub(lambda found: found[0] if found[0] < " " else f"\\u{ord(found[0]):04x}", text)
