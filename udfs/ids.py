"""Identifiers that depend on what they name, and on nothing else."""

import hashlib
import json


def stable_id(*parts: str | int) -> str:
    """Name a thing by its parts: the first 128 bits of SHA-256 over their canonical JSON, as 32 hex digits.

    JSON keeps the parts apart, so ("ab", "c") and ("a", "bc") are two ids.
    """
    return hashlib.sha256(_canonical(list(parts))).hexdigest()[:32]


def document_id(document: object) -> str:
    """SHA-256 of a document's canonical JSON, as 64 hex digits."""
    return hashlib.sha256(_canonical(document)).hexdigest()


def hashed(text: str) -> str:
    """SHA-256 of an id or a URI, as 64 hex digits: for tables that are to name nobody."""
    return hashlib.sha256(text.encode()).hexdigest()


def image_id(uri: str, size: int, modified_us: int) -> str:
    """One version of one file: its percent-encoded URI, size in bytes, modification time in microseconds."""
    return stable_id("image", uri, size, modified_us)


def face_id(image: str, contract_id: str, settings_id: str, ordinal: int) -> str:
    """One face: its image, how it was found and embedded, its place by rounded box top, then left."""
    return stable_id("face", image, contract_id, settings_id, ordinal)


def sample_id(gallery_name: str, person_id: str, content: str, contract_id: str) -> str:
    """One enrolled photo of one person; `content` is the digest of the file (its image_id if unread)."""
    return stable_id("sample", gallery_name, person_id, content, contract_id)


def _canonical(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
