"""The stream from image bytes to outcomes with faces."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

import numpy as np

from udfs.errors import InputError
from udfs.lake import ReadError
from udfs.vision import weights
from udfs.vision.allocator import return_large_blocks
from udfs.vision.canvases import CanvasBatches
from udfs.vision.contract import contract
from udfs.vision.decode import Undecoded, judged
from udfs.vision.detect import detector_class
from udfs.vision.embed import embedder_of
from udfs.vision.finding import AllCut, Cut, FaceFinder, Prepared, limits
from udfs.vision.liveness import Liveness
from udfs.vision.models import detector, embedder
from udfs.vision.quality import Quality
from udfs.vision.read_ahead import ByteBudget, Hold, ahead
from udfs.vision.rejection import RejectedError
from udfs.vision.spec import VisionSpec

Array = np.ndarray
Read = Callable[[], bytes]
"""Gives the bytes of one image, or raises ReadError."""

_IMAGES_AHEAD = 32

_Numbers = list[tuple[Array, float | None]]
"""Of faces: the embedding, and how likely the face is live."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Face:
    """One face in pixels of the upright original; `embedding` is float32 (dimension,), of length 1. liveness: as a
    network of one's own has it, if there is one and it has given a number."""

    box: Array
    landmarks: Array
    score: float
    quality: Quality
    embedding: Array
    liveness: float | None = None


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
    prepared: Prepared | None = None
    faces: list[Cut] = field(default_factory=list)
    numbers: _Numbers = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all its faces are embedded."""
        return self.undecoded is None and self.prepared is None and len(self.numbers) == len(self.faces)


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
        finds, embeds = detector(spec.detector, spec.models), embedder(spec.embedder, spec.models)
        self.detector = detector_class(finds)(spec.for_detector(), weights.source_of(spec, finds.name))
        self.embedder = embedder_of(embeds, spec, partial(weights.source_of, spec))
        self.liveness = None if spec.liveness is None else Liveness(spec.liveness, spec)

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
        self._embedder = pipeline.embedder
        self._liveness = pipeline.liveness
        self._limits = limits(spec, pipeline.detector)
        # An eighth of the memory is for what runs ahead, a sixteenth for pictures that wait for others of their
        # canvas, a sixteenth for those that are being searched, a half for the one picture that is decoded once more
        # (`FaceFinder`). One that takes more than a quarter, or then more than a half, has all to itself but what
        # runs ahead.
        self._budget = ByteBudget(spec.memory // 8)
        self._searched_bytes = spec.memory // 16
        self._batches: CanvasBatches[_Image] = CanvasBatches(spec.detection_pixels, spec.memory // 16)
        self._finder = FaceFinder(
            pipeline.detector, pipeline.embedder, spec, self._batches.size, liveness=pipeline.liveness
        )
        self._waiting: deque[_Image] = deque()
        self._searching: deque[tuple[list[_Image], Future[list[AllCut]]]] = deque()
        self._crops: list[tuple[_Image, Cut]] = []
        self._embedding: deque[tuple[list[_Image], Future[_Numbers]]] = deque()

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
                self._take_numbers(2 * threads)
                yield from self._finished()
            self._search_waiting()
            self._embed(1)
            self._take_numbers(-1)
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
        return undecoded.memory > self._spec.memory // 4 or again > self._spec.memory // 2

    def _decode(self, image: _Image, undecoded: Undecoded) -> None:
        image.prepared = self._finder.prepared(undecoded)
        picture = image.prepared.picture
        known = replace(image.outcome, width=picture.width, height=picture.height, captured_at=picture.captured_at)
        image.outcome = known.said(picture.detail).said(self._finder.missed(picture))

    def _search_soon(self, image: _Image, prepared: Prepared) -> None:
        """Search a picture: together with others of its canvas, or by itself if it has several views."""
        if prepared.view is None:
            self._searching.append(([image], self._models.submit(self._in_views, prepared)))
            return
        canvas = self._finder.canvas(prepared.view)
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
            self._searching.append(([image], self._models.submit(self._in_views, image.prepared, again_bytes)))
            self._take_faces(-1)

    def _search(self, canvas: tuple[int, int], batch: list[_Image]) -> None:
        """Start to find and cut out the faces of pictures of one canvas."""
        prepared = [_given(image.prepared) for image in batch]
        self._searching.append((batch, self._models.submit(self._finder.together, canvas, prepared)))

    def _in_views(self, prepared: Prepared, again_bytes: int | None = None) -> list[AllCut]:
        return [self._finder.in_views(prepared, again_bytes)]

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
                self._crops.extend((image, face) for face in cut.faces)
            self._searching.popleft()

    def _embed(self, least: int) -> None:
        """Start to embed crops in batches, while there are at least so many."""
        size = self._spec.batch_size
        while len(self._crops) >= least:
            batch, self._crops = self._crops[:size], self._crops[size:]
            numbers = self._models.submit(self._numbers, [cut for _, cut in batch])
            self._embedding.append(([image for image, _ in batch], numbers))

    def _numbers(self, faces: list[Cut]) -> _Numbers:
        """The embedding of each face, and how likely it is live."""
        vectors = self._embedder.embed([face.crop for face in faces])
        if self._liveness is None:
            return [(vector, None) for vector in vectors]
        live = self._liveness([_given(face.live_crop) for face in faces])
        return list(zip(vectors, live, strict=True))

    def _take_numbers(self, most: int) -> None:
        """Take the numbers that are done, and wait while more than so many batches are not."""
        while self._embedding:
            batch, numbers = self._embedding[0]
            if len(self._embedding) <= most and not numbers.done():
                return
            for image, of_face in zip(batch, numbers.result(), strict=True):
                image.numbers.append(of_face)
            self._embedding.popleft()

    def _finished(self) -> Iterator[tuple[object, ImageOutcome]]:
        """The images at the head of the queue that are complete."""
        while self._waiting and self._waiting[0].complete:
            image = self._waiting.popleft()
            yield image.key, _outcome(image)


def _rejected(image: _Image, rejected: RejectedError) -> ImageOutcome:
    return replace(image.outcome, outcome=f"rejected:{rejected.reason}", detail=rejected.detail)


def _outcome(image: _Image) -> ImageOutcome:
    if not image.faces:
        return image.outcome
    faces = [
        Face(cut.face.box, cut.face.landmarks, cut.face.score, cut.quality, embedding, live)
        for cut, (embedding, live) in zip(image.faces, image.numbers, strict=True)
    ]
    return replace(image.outcome, outcome="faces", faces=faces)


def _given(value: Value | None) -> Value:
    assert value is not None
    return value
