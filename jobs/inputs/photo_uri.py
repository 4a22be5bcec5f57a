"""The URI of a photo, as a row names it."""

import re
from urllib.parse import urlsplit

from udfs import lake
from udfs.errors import InputError

_HAS_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):[/\\]+", re.IGNORECASE)
_ONE_SLASH = re.compile(r"(file|hdfs|viewfs):/(?!/)", re.IGNORECASE)
"""How Hadoop and Spark write the URI of a local file, and of one on the store of the cluster."""


def absolute(file: str, uri: str) -> str:
    """A URI that may be relative to the folder its file is in.

    Raises:
        InputError: it is malformed, or of a store that cannot be read.
    """
    if scheme := _HAS_SCHEME.match(uri):
        if scheme[1].lower() not in lake.SCHEMES:
            readable = ", ".join(f"{name}://" for name in lake.SCHEMES)
            raise InputError(
                f"{uri!r}: {uri[: scheme.end()]} cannot be read; copy the photo, and write its path, or a URI that"
                f" begins with {readable}"
            )
        if not (_ONE_SLASH.match(uri) or uri[scheme.end(1) :].startswith("://")):
            raise InputError(f"{uri!r}: write it as {scheme[1].lower()}://STORE/PATH")
        whole = lake.uri_of(_ONE_SLASH.sub(r"\1:///", uri))
    elif uri.startswith("/"):
        whole = lake.uri_of(uri)
    else:
        whole = _beside(file, uri)
    if "%00" in whole:
        raise InputError(f"{whole}: it contains a NUL (%00), which no file name can; correct it")
    return whole


def _beside(file: str, path: str) -> str:
    parts = urlsplit(file)
    segments = parts.path.rstrip("/").split("/")[:-1]
    # By hand: urllib joins the URIs of the schemes it knows, and s3, gs, abfs and hdfs are none of them.
    for segment in lake.quoted(path).split("/"):
        if segment == "..":
            segments = segments[:-1] or [""]
        elif segment != ".":
            segments.append(segment)
    return f"{parts.scheme}://{parts.netloc}{'/'.join(segments)}"
