"""A PNG without what is beside its pixels.

Pillow refuses a PNG for long texts and for wrong checksums of any chunk (PNG, Third Edition, W3C 2025, section 5).
"""

import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_METADATA = {b"eXIf", b"sBIT"}
_XMP = b"XML:com.adobe.xmp\0\0"
"""The beginning of a text that is XMP and not compressed, in which the orientation may stand."""
_LONGEST_XMP = 1 << 20


def essential(content: bytes) -> bytes:
    """The same picture: its pixels as they are, and of the metadata what is whole and says how it is to be seen."""
    kept = [SIGNATURE]
    for name, chunk in chunks(content):
        if name in _PIXELS or (_says_how(name, chunk) and _is_whole(chunk)):
            kept.append(chunk)
    return b"".join(kept)


def significant_bits(content: bytes) -> int | None:
    """How many bits of each sample count, as the file says; None where it does not."""
    return next((max(chunk[8:-4]) for name, chunk in chunks(content) if name == b"sBIT" and len(chunk) > 12), None)


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's name and its bytes, from the length to the checksum; the last may end early."""
    at = len(SIGNATURE)
    while at + 8 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        name = content[at + 4 : at + 8]
        yield name, content[at:end]
        if name == b"IEND":
            return
        at = end


def _says_how(name: bytes, chunk: bytes) -> bool:
    is_xmp = name == b"iTXt" and chunk[8:].startswith(_XMP) and len(chunk) <= _LONGEST_XMP
    return name in _METADATA or is_xmp


def _is_whole(chunk: bytes) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
