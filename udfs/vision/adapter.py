"""A small map on the vectors of an embedder, learnt from photos of one's own: how it is kept, and how it is applied.

y = x + second @ bend(first @ x + offset), of length 1: a linear map where there is no `second`, one of low rank where
nothing is bent, and a network of two layers where negative values become 0 in between.
"""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from udfs.errors import InputError

Array = np.ndarray

_NAMES = ("first", "offset", "second", "bent")


@dataclass(frozen=True)
class Adapter:
    """first: float32 (r, d). offset: float32 (r,). second: float32 (d, r); None if the map is linear. bent: whether
    what is below 0 in between becomes 0."""

    first: Array
    offset: Array
    second: Array | None = None
    bent: bool = False

    @property
    def dimension(self) -> int:
        """Of the vectors."""
        return int(self.first.shape[1])

    def __call__(self, vectors: Array) -> Array:
        """float32 (n, d), unit length -> the same.

        Computed in float64 and without a library of matrix products: a vector's bits depend neither on its neighbours
        nor on the machine.
        """
        given = vectors.astype(np.float64)
        inside = np.einsum("rd,nd->nr", self.first.astype(np.float64), given) + self.offset
        if self.bent:
            inside = np.maximum(inside, 0)
        added = inside if self.second is None else np.einsum("dr,nr->nd", self.second.astype(np.float64), inside)
        moved = given + added
        length = np.sqrt(np.einsum("nd,nd->n", moved, moved))[:, None]
        return np.asarray(moved / length, np.float32)

    def scaled(self, strength: float) -> "Adapter":
        """The map that moves vectors a share of the way."""
        share = np.float32(strength)
        if self.second is None:
            return Adapter(self.first * share, self.offset * share, None, self.bent)
        return Adapter(self.first, self.offset, self.second * share, self.bent)

    def content(self) -> bytes:
        """As a file, in NumPy's format; the same adapter is the same bytes."""
        held: dict[str, Any] = {"first": self.first, "offset": self.offset, "bent": np.array(self.bent)}
        if self.second is not None:
            held["second"] = self.second
        file = io.BytesIO()
        np.savez(file, **held)
        return file.getvalue()

    @classmethod
    def of(cls, content: bytes, where: str) -> "Adapter":
        """The adapter in the content of a file. Nothing in it is run: objects of Python are refused.

        Raises:
            InputError: it is none.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as held:
                arrays = {name: held[name] for name in held.files if name in _NAMES}
            found = cls(arrays["first"], arrays["offset"], arrays.get("second"), bool(arrays["bent"]))
            found._check()
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            reason = " ".join(str(error).split())[:120]
            raise InputError(
                f"{where}: not an adapter ({reason}); train one with `rollcall train adapter`, or put the file back"
            ) from error
        return found

    def _check(self) -> None:
        inner, dimension = self.first.shape
        shapes = {"offset": (inner,), "second": (dimension, inner)}
        if self.second is None and inner != dimension:
            raise ValueError(f"a map of {dimension} values to {inner}")
        for name, array in (("first", self.first), ("offset", self.offset), ("second", self.second)):
            if array is None:
                continue
            if array.dtype != np.float32 or array.shape != shapes.get(name, array.shape):
                raise ValueError(f"`{name}` is {array.dtype} {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"`{name}` holds values that are no numbers")
