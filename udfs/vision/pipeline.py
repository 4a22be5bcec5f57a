"""The stream from image bytes to outcomes with faces."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from threading import Lock
from typing import TypeVar

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.lake import ReadError
from udfs.vision import weights
from udfs.vision.allocator import return_large_blocks
from udfs.vision.canvases import CanvasBatches
from udfs.vision.contract import contract
from udfs.vision.decode import Limits, Picture, decode
from udfs.vision.detect import Detection, centre_inside, detector_class, second_looks
from udfs.vision.embed import Crops, embedder_of
from udfs.vision.models import detector, embedder
from udfs.vision.quality import Quality, quality
from udfs.vision.read_ahead import ByteBudget, Hold, ahead
from udfs.vision.rejection import RejectedError
from udfs.vision.spec import VisionSpec
from udfs.vision.upright import stood_up

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


@dataclass
class _Image:
    """An image on its way: first its pictures, then its faces, at last its outcome."""

    key: object
    outcome: ImageOutcome
    prepared: "_Prepared | None" = None
    faces: "list[_Cut]" = field(default_factory=list)
    embeddings: list[Array] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether all its faces are embedded."""
        return self.prepared is None and len(self.embeddings) == len(self.faces)


@dataclass(frozen=True)
class _Prepared:
    """A picture to be searched for faces; `view` is what the detector sees of it, uint8 (h, w, 3)."""

    content: bytes
    picture: Picture
    view: Array

    @property
    def held(self) -> int:
        """Bytes."""
        return len(self.content) + 4 * self.picture.image.width * self.picture.image.height + self.view.nbytes


@dataclass(frozen=True)
class _Cut:
    """A face in pixels of the original, measured and cut out."""

    face: Detection
    quality: Quality
    crop: Crops


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
        self._limits = Limits(spec.minimum_face, spec.maximum_side, spec.maximum_pixels)
        # Half of the memory is for the one picture that is being decoded once more: 67 megapixels of the
        # default. Three eighths are for what runs ahead, a sixteenth for pictures that wait for others of their
        # canvas, a sixteenth for those that are being searched.
        self._budget = ByteBudget(3 * spec.memory // 8)
        self._searched_bytes = spec.memory // 16
        self._batches: CanvasBatches[_Image] = CanvasBatches(spec.detection_pixels, spec.memory // 16)
        self._decoding_again = Lock()
        self._waiting: deque[_Image] = deque()
        self._searching: deque[tuple[list[_Image], Future[list[list[_Cut]]]]] = deque()
        self._crops: list[tuple[_Image, Crops]] = []
        self._embedding: deque[tuple[list[_Image], Future[Array]]] = deque()

    def run(self, images: Iterable[tuple[object, Read]]) -> Iterator[tuple[object, ImageOutcome]]:
        threads = self._spec.threads
        with ThreadPoolExecutor(threads, thread_name_prefix="model") as self._models:
            for image in ahead(images, self._prepare, threads=threads, items_ahead=_IMAGES_AHEAD, budget=self._budget):
                self._waiting.append(image)
                if image.prepared is not None:
                    canvas = self._detector.canvas(*reversed(image.prepared.view.shape[:2]))
                    for batch in self._batches.add(canvas, image, image.prepared.held):
                        self._search(*batch)
                self._take_faces(self._searched_bytes)
                self._embed(self._spec.batch_size)
                self._take_embeddings(2 * threads)
                yield from self._finished()
            for batch in self._batches.rest():
                self._search(*batch)
            self._take_faces(-1)
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
        digest = hashlib.sha256(content).hexdigest()
        try:
            picture = decode(content, self._limits, hold=hold)
        except RejectedError as rejected:
            hold(0)
            return _Image(key, ImageOutcome(f"rejected:{rejected.reason}", rejected.detail, digest))
        prepared = _Prepared(
            content if picture.reduction > 1 else b"",
            picture,
            reduced_view(picture, self._limits, self._detector.scale),
        )
        hold(prepared.held)
        outcome = ImageOutcome("no_face", picture.detail, digest, picture.width, picture.height, picture.captured_at)
        return _Image(key, outcome, prepared)

    def _search(self, canvas: tuple[int, int], batch: list[_Image]) -> None:
        """Start to find and cut out the faces of pictures of one canvas."""
        prepared = [_given(image.prepared) for image in batch]
        self._searching.append((batch, self._models.submit(self._faces, canvas, prepared)))

    def _faces(self, canvas: tuple[int, int], batch: list[_Prepared]) -> list[list[_Cut]]:
        pictures = np.zeros((self._batches.size(canvas), *canvas, 3), np.uint8)
        for onto, prepared in zip(pictures, batch, strict=False):
            onto[: prepared.view.shape[0], : prepared.view.shape[1]] = prepared.view
        found = self._detector.detect(pictures)
        return [self._cut(prepared, faces) for prepared, faces in zip(batch, found, strict=False)]

    def _cut(self, prepared: _Prepared, found: list[Detection]) -> list[_Cut]:
        """From the picture decoded once more, where it was reduced too far for the smallest face."""
        rows, columns = prepared.view.shape[:2]
        x, y = prepared.picture.width / columns, prepared.picture.height / rows
        inside = [face for face in found if centre_inside(face, columns, rows)]
        reduction = self._reduction_for(prepared.picture, [face.scaled(x, y) for face in inside])
        if reduction == prepared.picture.reduction:
            return self._cut_out(prepared.picture, inside, (columns, rows))
        with self._decoding_again:
            picture = decode(prepared.content, self._limits, reduction=reduction)
            return self._cut_out(picture, inside, (columns, rows))

    def _cut_out(self, picture: Picture, found: list[Detection], view: tuple[int, int]) -> list[_Cut]:
        kept = second_looks(self._detector, picture.image, found, view)
        x, y = picture.image.width / view[0], picture.image.height / view[1]
        return [self._cut_one(picture, face.scaled(x, y)) for face in kept]

    def _cut_one(self, picture: Picture, face: Detection) -> _Cut:
        """face: in pixels of the picture as it was decoded."""
        turned = stood_up(self._detector, picture.image, face)
        if turned is None:
            crops = self._embedder.crop(picture.image, face)
        else:
            face, crops = turned.face, self._embedder.crop(turned.image, turned.upright)
        face = face.scaled(picture.width / picture.image.width, picture.height / picture.image.height)
        return _Cut(face, quality(crops[0], face), crops)

    def _reduction_for(self, picture: Picture, faces: list[Detection]) -> int:
        smallest = min((face.side for face in faces), default=float(self._embedder.side * picture.reduction))
        reduction = picture.reduction
        while reduction > 1 and smallest / reduction < self._embedder.side:
            reduction //= 2
        return reduction

    def _take_faces(self, most: int) -> None:
        """Take the faces that have been found, and wait while pictures of more than so many bytes are searched."""
        while self._searching:
            held = sum(_given(image.prepared).held for batch, _ in self._searching for image in batch)
            batch, found = self._searching[0]
            if held <= most and not found.done():
                return
            for image, faces in zip(batch, found.result(), strict=True):
                image.prepared, image.faces = None, faces
                self._crops.extend((image, face.crop) for face in faces)
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


def reduced_view(picture: Picture, limits: Limits, scale: float) -> Array:
    """A picture at `scale` of the size at which it is searched: uint8 (h, w, 3).

    One that the decoder has reduced a little further is not enlarged.
    """
    width, height = (max(1, round(side * scale)) for side in limits.searched(picture.width, picture.height))
    if width >= picture.image.width:
        return np.asarray(picture.image)
    return np.asarray(picture.image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0))


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
