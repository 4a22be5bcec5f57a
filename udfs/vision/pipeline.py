"""The stream from image bytes to outcomes with faces."""

import hashlib
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Lock
from typing import TypeVar

import numpy as np

from udfs.errors import InputError
from udfs.lake import ReadError
from udfs.vision import weights
from udfs.vision.allocator import return_large_blocks
from udfs.vision.canvases import CanvasBatches
from udfs.vision.contract import contract
from udfs.vision.decode import REDUCTIONS, Limits, Picture, Undecoded, finer, judged
from udfs.vision.detect import Detection, Detector, detector_class, in_order, second_looks
from udfs.vision.embed import Crops, embedder_of
from udfs.vision.models import detector, embedder
from udfs.vision.quality import Quality, quality
from udfs.vision.read_ahead import ByteBudget, Hold, ahead
from udfs.vision.rejection import RejectedError
from udfs.vision.spec import VisionSpec
from udfs.vision.upright import stood_up
from udfs.vision.views import Level, levels, merged

Array = np.ndarray
Read = Callable[[], bytes]
"""Gives the bytes of one image, or raises ReadError."""

_IMAGES_AHEAD = 32

Value = TypeVar("Value")


@dataclass(frozen=True)
class Face:
    """One face in pixels of the upright original; `embedding` is float32 (dimension,), of length 1."""

    box: Array
    landmarks: Array
    score: float
    quality: Quality
    embedding: Array


@dataclass(frozen=True)
class ImageOutcome:
    """What became of one image. `detail` says more about a rejection, and of a picture what is not as it should
    be; sizes are 0 where they are unknown."""

    outcome: str
    detail: str = ""
    content_sha256: str | None = None
    width: int = 0
    height: int = 0
    captured_at: datetime | None = None
    faces: list[Face] = field(default_factory=list)

    def said(self, detail: str) -> "ImageOutcome":
        """The same, and a little more in detail."""
        return replace(self, detail=f"{self.detail}; {detail}".removeprefix("; ")) if detail else self


@dataclass
class _Image:
    """An image on its way: first its picture, not yet decoded if it is large, then its faces, at last its outcome."""

    key: object
    outcome: ImageOutcome
    undecoded: Undecoded | None = None
    prepared: "_Prepared | None" = None
    faces: "list[_Cut]" = field(default_factory=list)
    embeddings: list[Array] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all its faces are embedded."""
        return self.undecoded is None and self.prepared is None and len(self.embeddings) == len(self.faces)


@dataclass(frozen=True)
class _Prepared:
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
        return len(self.content) + 4 * self.picture.image.width * self.picture.image.height + view


@dataclass(frozen=True)
class _Cut:
    """A face in pixels of the original, measured and cut out."""

    face: Detection
    quality: Quality
    crop: Crops


@dataclass(frozen=True)
class _AllCut:
    """The faces of one picture, and what is to be said of how they were cut out."""

    faces: list[_Cut]
    said: str = ""


class FacePipeline:
    """The models of a specification, loaded once, and the stream that runs through them.

    Raises:
        InputError: unknown models, missing or wrong weights, an absent device, a precision it does not
            compute in, or another contract than the specification names.
    """

    def __init__(self, spec: VisionSpec) -> None:
        if spec.contract_id is not None:
            here = contract(spec).contract_id
            if here != spec.contract_id:
                raise InputError(
                    f"the driver's contract is {spec.contract_id[:12]}, this executor's is {here[:12]}; install the"
                    " same version of Rollcall on both"
                )
        return_large_blocks()
        self.spec = spec
        finds, embeds = detector(spec.detector), embedder(spec.embedder, spec.models)
        self.detector = detector_class(finds)(spec.for_detector(), weights.source_of(spec, finds.name))
        self.embedder = embedder_of(embeds, spec, partial(weights.source_of, spec))

    def run(self, images: Iterable[tuple[object, Read]]) -> Iterator[tuple[object, ImageOutcome]]:
        """Outcomes in the order of the images.

        Images are read and decoded ahead on threads; pictures of one canvas are searched together; crops
        are embedded in full batches across images. An image waits for its last face.
        """
        return _Run(self).run(images)


class _Run:
    """One pass of images through the models of a pipeline.

    Two pools of as many threads: one reads and decodes, the other runs the models, a batch a thread. The
    consumer's thread hands work out and takes results in, in the order in which it was handed out.
    """

    def __init__(self, pipeline: FacePipeline) -> None:
        self._spec = spec = pipeline.spec
        self._detector = pipeline.detector
        self._embedder = pipeline.embedder
        self._limits = limits(spec, pipeline.detector)
        # An eighth of the memory is for what runs ahead, a sixteenth for pictures that wait for others of their
        # canvas, a sixteenth for those that are being searched, a half for the one picture that is decoded once more.
        # A picture that takes more than a quarter, or decoded once more than a half, has all to itself but what runs
        # ahead.
        self._budget = ByteBudget(spec.memory // 8)
        self._searched_bytes = spec.memory // 16
        self._batches: CanvasBatches[_Image] = CanvasBatches(spec.detection_pixels, spec.memory // 16)
        self._decoding_again = Lock()
        self._again_bytes = spec.memory // 2
        self._waiting: deque[_Image] = deque()
        self._searching: deque[tuple[list[_Image], Future[list[_AllCut]]]] = deque()
        self._crops: list[tuple[_Image, Crops]] = []
        self._embedding: deque[tuple[list[_Image], Future[Array]]] = deque()

    def run(self, images: Iterable[tuple[object, Read]]) -> Iterator[tuple[object, ImageOutcome]]:
        threads = self._spec.threads
        with ThreadPoolExecutor(threads, thread_name_prefix="model") as self._models:
            for image in ahead(images, self._prepare, threads=threads, items_ahead=_IMAGES_AHEAD, budget=self._budget):
                self._waiting.append(image)
                if image.undecoded is not None:
                    self._search_waiting()
                    self._search_alone(image)
                elif image.prepared is not None:
                    self._search_soon(image, image.prepared)
                self._take_faces(self._searched_bytes)
                self._embed(self._spec.batch_size)
                self._take_embeddings(2 * threads)
                yield from self._finished()
            self._search_waiting()
            self._embed(1)
            self._take_embeddings(-1)
            yield from self._finished()

    def _prepare(self, item: tuple[object, Read], hold: Hold) -> _Image:
        """Read and decode: what runs ahead on threads."""
        key, read = item
        hold(0)
        try:
            content = read()
        except ReadError as error:
            return _Image(key, ImageOutcome(f"rejected:{error.reason}", str(error)))
        image = _Image(key, ImageOutcome("no_face", content_sha256=hashlib.sha256(content).hexdigest()))
        try:
            undecoded = judged(content, self._limits)
            if self._is_large(undecoded):
                image.undecoded = undecoded
                hold(len(content))
            else:
                hold(undecoded.memory)
                self._decode(image, undecoded)
                hold(_given(image.prepared).held)
        except RejectedError as rejected:
            hold(0)
            image.outcome = _rejected(image, rejected)
        return image

    def _is_large(self, undecoded: Undecoded) -> bool:
        """Whether a picture leaves no memory for others: now, or if it is decoded once more."""
        again = 0 if undecoded.reduction == 1 else replace(undecoded, reduction=1).memory
        return undecoded.memory > self._spec.memory // 4 or again > self._again_bytes

    def _decode(self, image: _Image, undecoded: Undecoded) -> None:
        picture = undecoded.decoded()
        found_in = self._levels(picture)
        whole = found_in[0].views[0].seen(picture.image) if len(found_in) == 1 else None
        content = undecoded.content if picture.reduction > 1 else b""
        image.prepared = _Prepared(content, picture, found_in, whole)
        known = replace(image.outcome, width=picture.width, height=picture.height, captured_at=picture.captured_at)
        image.outcome = known.said(picture.detail).said(self._missed(picture))

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

    def _missed(self, picture: Picture) -> str:
        """What is to be said of a picture that was reduced so far that the smallest faces cannot be seen."""
        smallest = self._spec.minimum_face * self._detector.scale / self._finest(picture)
        if smallest <= self._spec.minimum_face:
            return ""
        return (
            f"searched at 1/{picture.reduction} of its size, as vision.memory or vision.maximum_pixels allows no"
            f" more: faces under {smallest:.0f} pixels are missed"
        )

    def _search_soon(self, image: _Image, prepared: _Prepared) -> None:
        """Search a picture: together with others of its canvas, or by itself if it has several views."""
        if prepared.view is None:
            self._searching.append(([image], self._models.submit(self._faces_in_views, prepared, self._again_bytes)))
            return
        canvas = self._detector.canvas(*reversed(prepared.view.shape[:2]))
        for batch in self._batches.add(canvas, image, prepared.held):
            self._search(*batch)

    def _search_waiting(self) -> None:
        """Search the pictures that wait for others of their canvas, and take the faces of all."""
        for batch in self._batches.rest():
            self._search(*batch)
        self._take_faces(-1)

    def _search_alone(self, image: _Image) -> None:
        """Decode and search a picture that leaves no memory for others."""
        try:
            self._decode(image, _given(image.undecoded))
        except RejectedError as rejected:
            image.outcome = _rejected(image, rejected)
        image.undecoded = None
        if image.prepared is not None:
            again_bytes = self._limits.memory - image.prepared.held
            self._searching.append(([image], self._models.submit(self._faces_in_views, image.prepared, again_bytes)))
            self._take_faces(-1)

    def _search(self, canvas: tuple[int, int], batch: list[_Image]) -> None:
        """Start to find and cut out the faces of pictures of one canvas."""
        prepared = [_given(image.prepared) for image in batch]
        self._searching.append((batch, self._models.submit(self._faces, canvas, prepared)))

    def _faces(self, canvas: tuple[int, int], batch: list[_Prepared]) -> list[_AllCut]:
        """Of pictures of one view."""
        found = self._detected(canvas, [_given(prepared.view) for prepared in batch])
        return [
            self._cut(prepared, [prepared.levels[0].views[0].own(faces)], self._again_bytes)
            for prepared, faces in zip(batch, found, strict=True)
        ]

    def _faces_in_views(self, prepared: _Prepared, again_bytes: int) -> list[_AllCut]:
        """Of one picture, of any number of views."""
        found = [self._found_in(level, prepared.picture) for level in prepared.levels]
        return [self._cut(prepared, found, again_bytes)]

    def _found_in(self, level: Level, picture: Picture) -> list[Detection]:
        """In pixels of the level."""
        canvas = self._detector.canvas(*level.views[0].size)
        together = self._batches.size(canvas)
        found: list[Detection] = []
        for at in range(0, len(level.views), together):
            views = level.views[at : at + together]
            seen = self._detected(canvas, [view.seen(picture.image) for view in views])
            found += [face for view, faces in zip(views, seen, strict=True) for face in view.own(faces)]
        return in_order(found)

    def _detected(self, canvas: tuple[int, int], seen: list[Array]) -> list[list[Detection]]:
        """What the detector finds in a batch, which is filled up with black pictures."""
        pictures = np.zeros((self._batches.size(canvas), *canvas, 3), np.uint8)
        for onto, view in zip(pictures, seen, strict=False):
            onto[: view.shape[0], : view.shape[1]] = view
        return self._detector.detect(pictures)[: len(seen)]

    def _cut(self, prepared: _Prepared, found: list[list[Detection]], again_bytes: int) -> _AllCut:
        """From the picture decoded once more, where it was reduced too far for the smallest face, and that takes at
        most so many bytes. found: of each level, in its pixels."""
        of_levels = list(zip(prepared.levels, found, strict=True))
        picture = prepared.picture
        sides = [face.side * picture.width / level.whole[0] for level, faces in of_levels for face in faces]
        smallest = min(sides, default=math.inf)
        wanted = self._wanted_reduction(picture.reduction, smallest)
        if wanted == picture.reduction:
            return _AllCut(self._cut_out(picture, of_levels))
        with self._decoding_again:
            less_reduced = self._less_reduced(prepared, wanted, again_bytes)
            faces = self._cut_out(less_reduced, of_levels)
        if not faces or less_reduced.reduction == wanted:
            return _AllCut(faces)
        return _AllCut(
            faces, f"small faces are cut out at 1/{less_reduced.reduction} of its size, as vision.memory allows no more"
        )

    def _wanted_reduction(self, reduction: int, smallest: float) -> int:
        """At which the embedder has all the pixels it needs of a face of so many pixels."""
        while reduction > 1 and smallest / reduction < self._embedder.side:
            reduction //= 2
        return reduction

    def _less_reduced(self, prepared: _Prepared, wanted: int, again_bytes: int) -> Picture:
        """The picture decoded once more, reduced as it is wanted, or as little as the memory allows."""
        for reduction in (at for at in REDUCTIONS if wanted <= at < prepared.picture.reduction):
            undecoded = finer(prepared.content, reduction)
            if undecoded.memory <= again_bytes:
                return undecoded.decoded()
        return prepared.picture

    def _cut_out(self, picture: Picture, found: list[tuple[Level, list[Detection]]]) -> list[_Cut]:
        image = picture.image
        kept = []
        for level, faces in found:
            x, y = image.width / level.whole[0], image.height / level.whole[1]
            seen = second_looks(self._detector, image, faces, level.whole)
            kept.append(([face.scaled(x, y) for face in seen], level.surely * min(x, y)))
        faces = kept[0][0] if len(kept) == 1 else in_order(merged(kept))
        return [self._cut_one(picture, face) for face in faces]

    def _cut_one(self, picture: Picture, face: Detection) -> _Cut:
        """face: in pixels of the picture as it was decoded."""
        turned = stood_up(self._detector, picture.image, face)
        if turned is None:
            crops = self._embedder.crop(picture.image, face)
        else:
            face, crops = turned.face, self._embedder.crop(turned.image, turned.upright)
        face = face.scaled(picture.width / picture.image.width, picture.height / picture.image.height)
        return _Cut(face, quality(crops[0], face), crops)

    def _take_faces(self, most: int) -> None:
        """Take the faces that have been found, and wait while pictures of more than so many bytes are searched."""
        while self._searching:
            held = sum(_given(image.prepared).held for batch, _ in self._searching for image in batch)
            batch, found = self._searching[0]
            if held <= most and not found.done():
                return
            for image, cut in zip(batch, found.result(), strict=True):
                image.prepared, image.faces = None, cut.faces
                image.outcome = image.outcome.said(cut.said)
                self._crops.extend((image, face.crop) for face in cut.faces)
            self._searching.popleft()

    def _embed(self, least: int) -> None:
        """Start to embed crops in batches, while there are at least so many."""
        size = self._spec.batch_size
        while len(self._crops) >= least:
            batch, self._crops = self._crops[:size], self._crops[size:]
            vectors = self._models.submit(self._embedder.embed, [crop for _, crop in batch])
            self._embedding.append(([image for image, _ in batch], vectors))

    def _take_embeddings(self, most: int) -> None:
        """Take the embeddings that are done, and wait while more than so many batches are not."""
        while self._embedding:
            batch, vectors = self._embedding[0]
            if len(self._embedding) <= most and not vectors.done():
                return
            for image, vector in zip(batch, vectors.result(), strict=True):
                image.embeddings.append(vector)
            self._embedding.popleft()

    def _finished(self) -> Iterator[tuple[object, ImageOutcome]]:
        """The images at the head of the queue that are complete."""
        while self._waiting and self._waiting[0].complete:
            image = self._waiting.popleft()
            yield image.key, _outcome(image)


def limits(spec: VisionSpec, detector: Detector) -> Limits:
    """What is decoded for a detector: it loses none of the pixels that it needs to see the smallest face."""
    return Limits(
        spec.minimum_face,
        spec.maximum_side,
        spec.maximum_pixels,
        memory=7 * spec.memory // 8,
        most_reduced=2 ** math.floor(math.log2(1 / detector.scale)),
    )


def _rejected(image: _Image, rejected: RejectedError) -> ImageOutcome:
    return replace(image.outcome, outcome=f"rejected:{rejected.reason}", detail=rejected.detail)


def _outcome(image: _Image) -> ImageOutcome:
    if not image.faces:
        return image.outcome
    faces = [
        Face(cut.face.box, cut.face.landmarks, cut.face.score, cut.quality, embedding)
        for cut, embedding in zip(image.faces, image.embeddings, strict=True)
    ]
    return replace(image.outcome, outcome="faces", faces=faces)


def _given(value: Value | None) -> Value:
    assert value is not None
    return value
