"""What kind of file some bytes are, by how they begin."""

READABLE = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "HEIF", "JPEG2000", "PPM")
"""As Pillow names them: no format that runs a program or describes vectors (EPS, WMF), and none that no camera or
scanner writes.
"""

_BEGINNINGS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
}
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIF"),
}
_UNREADABLE = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"II\xbc": "JPEG XR",
    b"8BPS": "Photoshop",
    b"v/1\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance",
    b"FUJIFILMCCD-RAW": "Fujifilm raw",
    b"IIRO": "Olympus raw",
    b"IIRS": "Olympus raw",
    b"IIU\0": "Panasonic raw",
    b"FOVb": "Sigma raw",
}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}
"""Bytes of the headers that there are."""
_STRAY = 64
"""Bytes before a JPEG that are passed over."""


def kind(content: bytes) -> str | None:
    """The format that some bytes begin as, readable or not; None if it is none that is known."""
    for beginnings in (_BEGINNINGS, _UNREADABLE):
        for beginning, name in beginnings.items():
            if content.startswith(beginning):
                return name
    if content[4:8] == b"ftyp":
        return "Canon raw" if content[8:12] == b"crx " else _BRANDS.get(content[8:12])
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "WEBP"
    if content.startswith(b"BM") and int.from_bytes(content[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if content[:1] == b"P" and content[1:2] in b"1234567fF" and content[2:3].isspace():
        return "PPM"
    return "DICOM" if content[128:132] == b"DICM" else None


def without_stray_bytes(content: bytes) -> bytes:
    """A JPEG that does not begin with its first byte."""
    if kind(content) is not None:
        return content
    begin = content.find(b"\xff\xd8\xff", 0, _STRAY + 3)
    return content[begin:] if begin > 0 else content
