"""A PNG without what is beside its pixels.

Pillow refuses a PNG for long texts and for wrong checksums of any chunk (PNG, Third Edition, W3C 2025, section 5).
"""

import zlib
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_METADATA = {b"eXIf", b"sBIT"}
_MAY_TELL = {*_METADATA, b"iTXt", b"tEXt"}
"""Where the orientation may stand: EXIF, XMP, and EXIF in hexadecimal digits."""
_XMP = b"XML:com.adobe.xmp\0\0"
"""The beginning of a text that is XMP and not compressed, in which the orientation may stand."""
_LONGEST_XMP = 1 << 20
_LONGEST = 1 << 16
_COMPRESSED = {b"zTXt", b"iTXt", b"iCCP"}
"""They may be of any length once they are not."""


def essential(content: bytes) -> bytes:
    """The same picture: its pixels as they are, and of the metadata what is whole and says how it is to be seen, before
    the pixels: so nobody needs to decode these to read it. Where nothing else can be in the way, the file itself.
    """
    found = list(chunks(content))
    whole = all(name in _PIXELS or _is_harmless(name, chunk) for name, chunk in found)
    names = [name for name, _ in found]
    behind = names[names.index(b"IDAT") :] if b"IDAT" in names else []
    if whole and not _MAY_TELL.intersection(behind):
        return content
    kept = found if whole else [each for each in found if each[0] in _PIXELS or _is_wanted(*each)]
    # IHDR, then what may tell how it is to be seen, then all else as it was.
    kept = sorted(kept, key=lambda each: 0 if each[0] == b"IHDR" else 1 if each[0] in _MAY_TELL else 2)
    return b"".join([SIGNATURE, *(chunk for _, chunk in kept)])


def significant_bits(content: bytes) -> int | None:
    """How many bits of each sample count, as the file says; None where it does not."""
    return next((max(chunk[8:-4]) for name, chunk in chunks(content) if name == b"sBIT" and len(chunk) > 12), None)


def chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Each chunk's name and its bytes, from the length to the checksum; the last may end early."""
    at, whole = len(SIGNATURE), memoryview(content)
    while at + 8 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        name = content[at + 4 : at + 8]
        yield name, whole[at:end]
        if name == b"IEND":
            return
        at = end


def _is_harmless(name: bytes, chunk: memoryview) -> bool:
    return len(chunk) <= _LONGEST and name not in _COMPRESSED and _is_whole(chunk)


def _is_wanted(name: bytes, chunk: memoryview) -> bool:
    is_xmp = name == b"iTXt" and bytes(chunk[8 : 8 + len(_XMP)]) == _XMP and len(chunk) <= _LONGEST_XMP
    return (name in _METADATA or is_xmp) and _is_whole(chunk)


def _is_whole(chunk: memoryview) -> bool:
    return zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")
