"""A file that a model of one's own is in: read whole, and known by its digest."""

import hashlib

from udfs import lake
from udfs.errors import InputError
from udfs.vision.own import AdaptedDeclaration, DetectorDeclaration, OnnxDeclaration

_OTHERWISE = {
    OnnxDeclaration: "declare this one under another name with `rollcall models add`",
    AdaptedDeclaration: "train it again under another name with `rollcall train adapter`",
    DetectorDeclaration: "train it again under another name with `rollcall train detector`",
}
"""What to do, of a file of this kind, but put the declared one back."""


def read(own: OnnxDeclaration | AdaptedDeclaration | DetectorDeclaration, explicit: str | None = None) -> bytes:
    """The content of the declared file. explicit: the path or URI of a copy, which is read instead.

    Raises:
        InputError: it cannot be read, or is another file than was declared.
    """
    where = own.file if explicit is None else explicit
    return declared_content(where, own.sha256, f"models.{own.name}", _OTHERWISE[type(own)])


def declared_content(where: str, sha256: str, section: str, otherwise: str) -> bytes:
    """The content of a file that a section of the settings declares. otherwise: what to do but put it back.

    Raises:
        InputError: it cannot be read, or is another file than was declared.
    """
    content = lake.read_anything(where)
    found = digest(content)
    if found != sha256:
        raise InputError(
            f"{where}: not the file that [{section}] declares: its SHA-256 is {found[:12]}..., declared is"
            f" {sha256[:12]}...; put the declared file back, or {otherwise}"
        )
    return content


def digest(content: bytes) -> str:
    """SHA-256, as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()
