"""Text files that a user gives, which must be UTF-8."""

import codecs

from udfs import lake
from udfs.errors import InputError

_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
"""Marks at the beginning of files; that of UTF-32 begins like one of UTF-16."""


def read(uri: str) -> str:
    """What a text file says, without a mark at its beginning.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    content = lake.read_anything(uri)
    if (encoding := _sixteen_bits(content)) is not None:
        raise _not_utf8(uri, encoding)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise _not_utf8(f"{uri}: line {line}", "WINDOWS-1252") from error


def _sixteen_bits(content: bytes) -> str | None:
    """The encoding of a text of two or four bytes a character, by its mark, or else by the zeros in its first
    character.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    match [byte == 0 for byte in content[:2]]:
        case [True, False]:
            return "UTF-16BE"
        case [False, True]:
            return "UTF-16LE"
    return None


def _not_utf8(where: str, encoding: str) -> InputError:
    likely = ", if it was written on Windows in Western Europe" if encoding == "WINDOWS-1252" else ""
    return InputError(
        f"{where}: is not UTF-8 text; save it as UTF-8: in Excel as `CSV UTF-8`, or in a shell{likely}:"
        f" iconv -f {encoding} -t UTF-8 OLD > NEW"
    )
