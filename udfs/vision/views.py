"""What a detector sees of a picture: the whole of it and, of a large one, pieces at larger scales, so that the smallest
face that is wanted is seen in the pixels that it needs.

Each level shows the picture larger than the one before, in pieces that overlap: a face is found whole in one of them,
or is so large that the level before shows it well.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from udfs.vision.detect import Detection
from udfs.vision.suppression import overlaps, shared_areas

Array = np.ndarray
Size = tuple[int, int]
"""Width and height."""

_STEP = 4.0
"""How many times as large a level may be as the one before it: a smaller one makes more levels, a larger one more
overlap of their pieces."""
_SURELY = 1.5
"""Times the smallest face wanted: from this size on a level is trusted to find all."""
_SAME, _INSIDE = 0.3, 0.5
"""Of a face that a coarser level has found: the intersection over union, and the share of the finer level's box that
lies in it, from which on both are one face, or the finer one is a part of it."""

RULE = {
    "name": "levels",
    "revision": 1,
    "step": _STEP,
    "surely": _SURELY,
    "same": _SAME,
    "inside": _INSIDE,
}


@dataclass(frozen=True)
class View:
    """A piece of a picture at the scale at which the whole would have the size `whole`; pixels are of that scale.

    core: left, top, right, bottom of where the middle of a face must be, so that no two views find the same.
    largest: the longer side of the largest face that is surely whole in it.
    """

    whole: Size
    left: int
    top: int
    size: Size
    core: tuple[float, float, float, float]
    largest: float

    def seen(self, image: Image.Image) -> Array:
        """What it shows of the picture, which has at least its pixels: uint8 (h, w, 3)."""
        if self.whole == image.size == self.size:
            return np.asarray(image)
        x, y = image.width / self.whole[0], image.height / self.whole[1]
        width, height = self.size
        box = (self.left * x, self.top * y, (self.left + width) * x, (self.top + height) * y)
        # Pillow would refuse a box that rounding has moved out of the picture.
        within = (box[0], box[1], min(box[2], image.width), min(box[3], image.height))
        return np.asarray(image.resize(self.size, Image.Resampling.BILINEAR, within, reducing_gap=1.0))

    def own(self, faces: Sequence[Detection]) -> list[Detection]:
        """Of the faces found in it those that no other view finds, in pixels of the whole."""
        found = [face.moved(self.left, self.top) for face in faces]
        return [face for face in found if face.longer_side <= self.largest and self._has_middle_of(face)]

    def _has_middle_of(self, face: Detection) -> bool:
        left, top, right, bottom = face.box
        x, y = (left + right) / 2, (top + bottom) / 2
        return bool(self.core[0] <= x < self.core[2] and self.core[1] <= y < self.core[3])


@dataclass(frozen=True)
class Level:
    """Views of one scale and one size, which together show all of a picture.

    surely: the shorter side, in its pixels, from which on it shows faces well; smaller ones a finer level shows better.
    """

    whole: Size
    views: tuple[View, ...]
    surely: float = 0.0


def whole(size: Size, scale: float, maximum_side: int) -> Level:
    """A picture in one view: at a scale, or smaller if it is longer than `maximum_side` pixels before it is scaled."""
    shrink = min(1.0, maximum_side / max(size))
    width, height = (max(1, round(max(1, round(side * shrink)) * scale)) for side in size)
    core = (-math.inf, -math.inf, width, height)
    return Level((width, height), (View((width, height), 0, 0, (width, height), core, math.inf),))


def levels(size: Size, *, scale: float, finest: float, maximum_side: int, smallest: float) -> list[Level]:
    """The levels in which a picture of a size is searched, the coarsest first: the whole in one view, and the finest at
    the scale `finest`.

    scale: at which the detector looks at pictures of up to `maximum_side` pixels; `finest` is at most as much.
    smallest: pixels that the smallest face wanted has in the finest level, and needs in all.
    """
    side = max(1, round(maximum_side * scale))
    if max(size) * finest <= side:
        return [whole(size, finest, max(size))]
    coarsest = whole(size, scale, maximum_side)
    larger = max(size) * finest / max(coarsest.whole)
    most = min(_STEP, max(_SURELY, side / (2 * _SURELY * smallest)))
    count = math.ceil(math.log(larger) / math.log(most))
    step = larger ** (1 / count)
    overlap = min(math.ceil(_SURELY * smallest * step), 3 * side // 4)
    scales = [finest / step ** (count - at) for at in range(1, count + 1)]
    found = [coarsest, *(_in_pieces(size, at, side, overlap) for at in scales)]
    return [*(replace(level, surely=_SURELY * smallest) for level in found[:-1]), found[-1]]


def _in_pieces(size: Size, scale: float, side: int, overlap: int) -> Level:
    width, height = (max(1, round(length * scale)) for length in size)
    across, down = list(_spans(width, side, overlap)), list(_spans(height, side, overlap))
    views = [
        View((width, height), left, top, (columns, rows), (from_x, from_y, to_x, to_y), overlap)
        for top, rows, from_y, to_y in down
        for left, columns, from_x, to_x in across
    ]
    return Level((width, height), tuple(views))


def _spans(length: int, side: int, overlap: int) -> Iterator[tuple[int, int, float, float]]:
    """Where pieces of one length begin, their length, and from where to where the middle of a face is theirs."""
    count = max(1, math.ceil((length - overlap) / (side - overlap)))
    piece = min(length, math.ceil((length + (count - 1) * overlap) / count))
    starts = [round(at * (length - piece) / max(1, count - 1)) for at in range(count)]
    borders = [(start + piece + following) / 2 for start, following in itertools.pairwise(starts)]
    yield from zip(starts, [piece] * count, [-math.inf, *borders], [*borders, length], strict=True)


def merged(found: Sequence[tuple[Sequence[Detection], float]]) -> list[Detection]:
    """Of the faces that levels have found, the coarsest first, and all in pixels of one picture: each once.

    With those of a level comes the shorter side from which on its faces are sure: seen well enough for their boxes to
    be right. What a finer level finds of a sure one is left out, and takes the place of another.
    """
    kept: list[tuple[Detection, bool]] = []
    for faces, surely in found:
        sure = [face.box for face, is_sure in kept if is_sure]
        fresh = [face for face in faces if not _is_of_any(face.box, sure)]
        others = [
            (face, is_sure)
            for face, is_sure in kept
            if is_sure or not any(_is_of_any(other.box, [face.box]) for other in fresh)
        ]
        kept = others + [(face, face.side >= surely) for face in fresh]
    return [face for face, _ in kept]


def _is_of_any(box: Array, others: Sequence[Array]) -> bool:
    """Whether a box is that of the same face as one of others, or of a part of it."""
    if not others:
        return False
    known = np.stack(others)
    inside = shared_areas(box, known) / ((box[2] - box[0]) * (box[3] - box[1]))
    return bool((inside > _INSIDE).any() or (overlaps(box, known) > _SAME).any())
