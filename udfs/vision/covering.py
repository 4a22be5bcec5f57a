"""How similar a face is to another one while parts of it are covered: what maps of importance are measured by."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from udfs.search.similarity import similarity
from udfs.vision.detect import Detection
from udfs.vision.embed import Embedder

Array = np.ndarray

CELLS = 14
"""Of a square around the face, across and down."""
_REACH = 1.25
"""Sides of the face that the square has: what networks see of it."""
_LARGEST = 200  # pixels of the square: more detail than any network sees


@dataclass(frozen=True)
class CoveredFace:
    """A face in a picture that is its square alone, and what it is covered with: the same, out of focus.

    picture, blurred: float32 (side, side, 3), 0 to 255. face: where it is there. other: float32 (d,), the embedding it
    is compared with.
    """

    embedder: Embedder
    picture: Array
    blurred: Array
    face: Detection
    other: Array

    @classmethod
    def of(cls, embedder: Embedder, image: Image.Image, face: Detection, other: Array) -> "CoveredFace":
        """image: upright, RGB; the face is in its pixels."""
        left, top, right, bottom = face.box
        half = max(right - left, bottom - top) * _REACH / 2
        x, y = (left + right) / 2 - half, (top + bottom) / 2 - half
        side = max(8, min(_LARGEST, round(2 * half)))
        around = (round(x), round(y), round(x + 2 * half), round(y + 2 * half))
        square = image.crop(around).resize((side, side), Image.Resampling.LANCZOS)
        share = side / (around[2] - around[0])
        moved = face.moved(-around[0], -around[1]).scaled(share, share)
        blurred = square.filter(ImageFilter.GaussianBlur(side / 10))
        return cls(
            embedder, np.asarray(square, np.float32), np.asarray(blurred, np.float32), moved, other.astype(np.float32)
        )

    def __call__(self, seen: Array) -> Array:
        """seen: float (n, cells, cells), the share of each cell that is not covered -> similarity, float64 (n,)."""
        vectors = self.embedder.embed([self.embedder.crop(self.with_covered(mask), self.face) for mask in seen])
        return similarity(vectors, np.broadcast_to(self.other, vectors.shape))

    def with_covered(self, seen: Array) -> Image.Image:
        """The square, parts of it covered."""
        side = len(self.picture)
        mask = Image.fromarray((255 * seen).astype(np.uint8)).resize((side, side), Image.Resampling.BILINEAR)
        share = (np.asarray(mask, np.float32) / 255)[:, :, None]
        mixed = self.picture * share + self.blurred * (1 - share)
        return Image.fromarray(np.rint(mixed).astype(np.uint8))
