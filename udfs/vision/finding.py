"""From a decoded picture to its faces: found in its views, measured and cut out."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from PIL import Image

from udfs.vision.decode import PIXEL_BYTES, REDUCTIONS, Limits, Picture, Undecoded, finer
from udfs.vision.detect import Detection, Detector, in_order, second_looks
from udfs.vision.embed import Crops, Embedder
from udfs.vision.liveness import Liveness
from udfs.vision.quality import Quality, quality
from udfs.vision.spec import VisionSpec
from udfs.vision.upright import stood_up
from udfs.vision.views import Level, levels, merged

Array = np.ndarray
Canvas = tuple[int, int]


def limits(spec: VisionSpec, detector: Detector) -> Limits:
    """What is decoded for a detector: it loses none of the pixels that it needs to see the smallest face."""
    return Limits(
        spec.minimum_face,
        spec.maximum_side,
        spec.maximum_pixels,
        memory=7 * spec.memory // 8,
        most_reduced=2 ** math.floor(math.log2(1 / detector.scale)),
    )


@dataclass(frozen=True)
class Prepared:
    """A picture to be searched for faces, in one view, that is there, or in several, which are taken from the picture.

    content: to decode it once more, if it was reduced; else b"".
    """

    content: bytes
    picture: Picture
    levels: list[Level]
    view: Array | None

    @property
    def held(self) -> int:
        """Bytes."""
        view = 0 if self.view is None else self.view.nbytes
        return len(self.content) + PIXEL_BYTES * self.picture.image.width * self.picture.image.height + view


@dataclass(frozen=True)
class Cut:
    """A face in pixels of the original, measured and cut out. live_crop: of a network for liveness, if there is one."""

    face: Detection
    quality: Quality
    crop: Crops
    live_crop: Array | None = None


@dataclass(frozen=True)
class AllCut:
    """The faces of one picture, and what is to be said of how they were cut out."""

    faces: list[Cut]
    said: str = ""


class ViewSearch:
    """A detector on pictures of one specification. Any number of threads may ask at once.

    batch_size: how many views of a canvas are looked at together.
    """

    def __init__(self, detector: Detector, spec: VisionSpec, batch_size: Callable[[Canvas], int]) -> None:
        self._detector = detector
        self._spec = spec
        self._batch_size = batch_size

    def faces(self, image: Image.Image) -> list[Detection]:
        """The faces of a picture that has all its pixels, as they are before they are stood up."""
        whole = Picture(image, image.width, image.height, 1, None)
        found_in = self._levels(whole)
        return self._once(image, [(level, self._found_in(level, whole)) for level in found_in])

    def _levels(self, picture: Picture) -> list[Level]:
        return levels(
            (picture.width, picture.height),
            scale=self._detector.scale,
            finest=self._finest(picture),
            maximum_side=self._spec.maximum_side,
            smallest=self._detector.scale * self._spec.minimum_face,
        )

    def _finest(self, picture: Picture) -> float:
        """The largest scale at which a picture can be searched."""
        return min(self._detector.scale, 1 / picture.reduction)

    def _found_in(self, level: Level, picture: Picture) -> list[Detection]:
        """In pixels of the level."""
        canvas = self._detector.canvas(*level.views[0].size)
        together = self._batch_size(canvas)
        found: list[Detection] = []
        for at in range(0, len(level.views), together):
            views = level.views[at : at + together]
            seen = self._detected(canvas, [view.seen(picture.image) for view in views])
            found += [face for view, faces in zip(views, seen, strict=True) for face in view.own(faces)]
        return in_order(found)

    def _detected(self, canvas: Canvas, seen: list[Array]) -> list[list[Detection]]:
        """What the detector finds in a batch, which is filled up with black pictures."""
        pictures = np.zeros((self._batch_size(canvas), *canvas, 3), np.uint8)
        for onto, view in zip(pictures, seen, strict=False):
            onto[: view.shape[0], : view.shape[1]] = view
        return self._detector.detect(pictures)[: len(seen)]

    def _once(self, image: Image.Image, found: list[tuple[Level, list[Detection]]]) -> list[Detection]:
        """What levels have found, each face once, after second looks; in pixels of the picture."""
        kept = []
        for level, faces in found:
            x, y = image.width / level.whole[0], image.height / level.whole[1]
            seen = second_looks(self._detector, image, faces, level.whole)
            kept.append(([face.scaled(x, y) for face in seen], level.surely * min(x, y)))
        return kept[0][0] if len(kept) == 1 else in_order(merged(kept))


class FaceFinder(ViewSearch):
    """The same with an embedder's crops."""

    def __init__(
        self,
        detector: Detector,
        embedder: Embedder,
        spec: VisionSpec,
        batch_size: Callable[[Canvas], int],
        *,
        liveness: Liveness | None = None,
    ) -> None:
        super().__init__(detector, spec, batch_size)
        self._embedder = embedder
        self._liveness = liveness
        # A half of the memory is for the one picture that is decoded once more.
        self._decoding_again = Lock()
        self._again_bytes = spec.memory // 2

    def prepared(self, undecoded: Undecoded) -> Prepared:
        """A picture decoded, to be searched.

        Raises:
            RejectedError: it is damaged.
        """
        picture = undecoded.decoded()
        found_in = self._levels(picture)
        view = found_in[0].views[0].seen(picture.image) if len(found_in) == 1 else None
        return Prepared(undecoded.content if picture.reduction > 1 else b"", picture, found_in, view)

    def missed(self, picture: Picture) -> str:
        """What is to be said of a picture that was reduced so far that the smallest faces cannot be seen."""
        smallest = self._spec.minimum_face * self._detector.scale / self._finest(picture)
        if smallest <= self._spec.minimum_face:
            return ""
        return (
            f"the picture was searched at 1/{picture.reduction} of its size, as vision.memory or vision.maximum_pixels"
            f" allows no more: faces under {smallest:.0f} pixels are missed"
        )

    def canvas(self, view: Array) -> Canvas:
        """On which a view is looked at."""
        return self._detector.canvas(view.shape[1], view.shape[0])

    def together(self, canvas: Canvas, batch: list[Prepared]) -> list[AllCut]:
        """The faces of pictures of one view, all of one canvas."""
        found = self._detected(canvas, [prepared.view for prepared in batch if prepared.view is not None])
        return [
            self._cut(prepared, [prepared.levels[0].views[0].own(faces)], self._again_bytes)
            for prepared, faces in zip(batch, found, strict=True)
        ]

    def in_views(self, prepared: Prepared, again_bytes: int | None = None) -> AllCut:
        """The faces of one picture, of any number of views. again_bytes: that decoding it once more may take."""
        found = [self._found_in(level, prepared.picture) for level in prepared.levels]
        return self._cut(prepared, found, self._again_bytes if again_bytes is None else again_bytes)

    def _cut(self, prepared: Prepared, found: list[list[Detection]], again_bytes: int) -> AllCut:
        """From the picture decoded once more, where it was reduced too far for the smallest face, and that takes at
        most so many bytes. found: of each level, in its pixels."""
        of_levels = list(zip(prepared.levels, found, strict=True))
        picture = prepared.picture
        sides = [face.side * picture.width / level.whole[0] for level, faces in of_levels for face in faces]
        smallest = min(sides, default=math.inf)
        wanted = self._wanted_reduction(picture.reduction, smallest)
        if wanted == picture.reduction:
            return AllCut(self._cut_out(picture, of_levels))
        with self._decoding_again:
            less_reduced = self._less_reduced(prepared, wanted, again_bytes)
            faces = self._cut_out(less_reduced, of_levels)
        if not faces or less_reduced.reduction == wanted:
            return AllCut(faces)
        return AllCut(
            faces,
            f"small faces are cut out of the picture at 1/{less_reduced.reduction} of its size, as vision.memory allows"
            " no more",
        )

    def _wanted_reduction(self, reduction: int, smallest: float) -> int:
        """At which the embedder has all the pixels it needs of a face of so many pixels."""
        while reduction > 1 and smallest / reduction < self._embedder.side:
            reduction //= 2
        return reduction

    def _less_reduced(self, prepared: Prepared, wanted: int, again_bytes: int) -> Picture:
        """The picture decoded once more, reduced as it is wanted, or as little as the memory allows."""
        again = finer(prepared.content, wanted)
        for reduction in (at for at in REDUCTIONS if wanted <= at < prepared.picture.reduction):
            undecoded = replace(again, reduction=reduction)
            if undecoded.memory <= again_bytes:
                return undecoded.decoded()
        return prepared.picture

    def _cut_out(self, picture: Picture, found: list[tuple[Level, list[Detection]]]) -> list[Cut]:
        return [self._cut_one(picture, face) for face in self._once(picture.image, found)]

    def _cut_one(self, picture: Picture, face: Detection) -> Cut:
        """face: in pixels of the picture as it was decoded."""
        turned = stood_up(self._detector, picture.image, face)
        image, upright = (picture.image, face) if turned is None else (turned.image, turned.upright)
        crops = self._embedder.crop(image, upright)
        live_crop = None if self._liveness is None else self._liveness.crop(image, upright)
        face = face if turned is None else turned.face
        face = face.scaled(picture.width / picture.image.width, picture.height / picture.image.height)
        return Cut(face, quality(crops[0], face), crops, live_crop)
