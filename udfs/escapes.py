"""Text as a person reads it in a page or a JSON file, where some characters are written otherwise."""

import html
import re

_JSON = re.compile(r"((?:\\u[0-9a-fA-F]{4})+)")


def unescaped(text: str) -> str:
    """Text with characters in the place of HTML's and JSON's escapes: `O&#39;Brien`, `Jos\\u00e9`."""
    return html.unescape(_JSON.sub(_characters, text))


def _characters(found: re.Match[str]) -> str:
    units = bytes.fromhex(found.group().replace("\\u", ""))
    return units.decode("utf-16-be", "replace")
