"""The one form in which a person's id is kept, however it comes in."""

import unicodedata

from udfs.errors import InputError

_INVISIBLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Categories of Unicode: control, format (zero width, directions), surrogates, ends of lines and paragraphs."""
_IGNORABLE = {
    *("\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u2800", "\u3164", "\uffa0"),
    *map(chr, range(0x180B, 0x1810)),
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0000, 0xE0100)),
}
"""Characters of other categories that show nothing: fillers, the blank of Braille, choices among pictures and letters
(Unicode's Default_Ignorable_Code_Point). From U+E0100 on they choose among forms of a Chinese character, and are how
some Japanese names are spelt."""


def trimmed(written: str) -> str:
    """Text without spaces around it, its accents composed (NFC)."""
    return unicodedata.normalize("NFC", written).strip()


def normal(where: str, written: str) -> str:
    """An id in its normal form (`trimmed`), so that ids that look alike are one; empty if nothing is left. where: what
    to name in messages.

    Raises:
        InputError: it contains a character that cannot be seen.
    """
    person = trimmed(written)
    if person.isascii() and person.isprintable():  # most are, and lists are long
        return person
    for character in person:
        if unicodedata.category(character) in _INVISIBLE or character in _IGNORABLE:
            name = unicodedata.name(character, "a control character")
            raise InputError(
                f"{where}: the id {person!a} contains U+{ord(character):04X} ({name}), which cannot be seen; take"
                " it out"
            )
    return person
