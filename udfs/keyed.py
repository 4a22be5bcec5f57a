"""Hashes with a key: whoever has both the key and a value can tell whether a hash is the value's, and nobody else."""

import hashlib
import hmac
from dataclasses import dataclass

import numpy as np

Array = np.ndarray

KEY_BYTES = 32


@dataclass(frozen=True)
class Keyed:
    """The first 128 bits of HMAC-SHA256 under a key, as 32 hex digits."""

    key: bytes

    def text(self, value: str) -> str:
        """Of a text: an id, a name, a URI."""
        return self._of(b"text", value.encode())

    def of_gallery(self, gallery_name: str, person_id: str) -> str:
        """Of a person of one gallery."""
        return self._of(b"person of gallery", gallery_name.encode() + b"\0" + person_id.encode())

    def vector(self, embedding: Array) -> str:
        """Of an embedding, float32."""
        return self._of(b"vector", np.ascontiguousarray(embedding, "<f4").tobytes())

    def codes(self, codes: Array) -> str:
        """Of an embedding that is rounded to int8 (udfs.search.quantisation), as wide as it is kept."""
        return self._of(b"codes", np.ascontiguousarray(codes, np.int8).tobytes())

    def asked(self, *parts: str) -> str:
        """Of what was asked to be erased."""
        return self._of(b"asked", "\0".join(parts).encode())

    def _of(self, domain: bytes, value: bytes) -> str:
        return hmac.new(self.key, domain + b"\0" + value, hashlib.sha256).hexdigest()[:32]
