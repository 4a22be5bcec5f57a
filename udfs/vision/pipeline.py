"""The stream from image bytes to outcomes with faces."""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from udfs.errors import InputError
from udfs.lake import ReadError
from udfs.vision import weights
from udfs.vision.contract import contract
from udfs.vision.decode import RejectedError, decode
from udfs.vision.detect import Detection, detector
from udfs.vision.embed import embedder
from udfs.vision.quality import Quality, quality
from udfs.vision.spec import VisionSpec

Array = np.ndarray


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
    """What became of one image. `detail` says more about a rejection; sizes are 0 where they are unknown."""

    outcome: str
    detail: str = ""
    content_sha256: str | None = None
    width: int = 0
    height: int = 0
    captured_at: datetime | None = None
    faces: list[Face] = field(default_factory=list)


@dataclass
class _Pending:
    """An image whose faces wait for their embeddings."""

    key: object
    outcome: ImageOutcome
    found: list[tuple[Detection, float, Quality]] = field(default_factory=list)
    embeddings: list[Array] = field(default_factory=list)

    @property
    def done(self) -> bool:
        return len(self.embeddings) == len(self.found)


class FacePipeline:
    """The models of a specification, loaded once, and the stream that runs through them.

    Raises:
        InputError: unknown models, missing or wrong weights, an absent device, or another contract than
            the specification names.
    """

    def __init__(self, spec: VisionSpec) -> None:
        import torch

        if spec.device.startswith("cuda") and not torch.cuda.is_available():
            raise InputError("vision.device is cuda, and this executor has no GPU; set it to cpu, or mend the node")
        torch.set_num_threads(spec.threads)
        if spec.contract_id is not None:
            here = contract(spec).contract_id
            if here != spec.contract_id:
                raise InputError(f"the driver's contract is {spec.contract_id[:12]}, this executor's {here[:12]}")
        self.spec = spec
        given = dict(spec.weights)
        self._detector = detector(spec.detector)(spec, weights.load(spec.detector, given.get(spec.detector)))
        self._embedder = embedder(spec.embedder)(spec, weights.load(spec.embedder, given.get(spec.embedder)))

    def run(self, images: Iterable[tuple[object, bytes | ReadError]]) -> Iterator[tuple[object, ImageOutcome]]:
        """Outcomes in the order of the images. An image that could not be read comes as its `ReadError`.

        Crops are embedded in full batches across images; an image waits until its last face is embedded.
        """
        waiting: deque[_Pending] = deque()
        crops: list[tuple[_Pending, Array]] = []
        for key, content in images:
            image, found = self._find(key, content)
            waiting.append(image)
            crops.extend((image, crop) for crop in found)
            while len(crops) >= self.spec.batch_size:
                self._embed(crops[: self.spec.batch_size])
                del crops[: self.spec.batch_size]
            while waiting and waiting[0].done:
                yield _finish(waiting.popleft())
        if crops:
            self._embed(crops)
        yield from map(_finish, waiting)

    def _find(self, key: object, content: bytes | ReadError) -> tuple[_Pending, list[Array]]:
        if isinstance(content, ReadError):
            return _Pending(key, ImageOutcome(f"rejected:{content.reason}", str(content))), []
        digest = hashlib.sha256(content).hexdigest()
        try:
            picture = decode(
                content,
                minimum_side=self.spec.minimum_face,
                maximum_side=self.spec.maximum_side,
                maximum_pixels=self.spec.maximum_pixels,
            )
        except RejectedError as rejected:
            return _Pending(key, ImageOutcome(f"rejected:{rejected.reason}", rejected.detail, digest)), []
        detections = self._detector.detect(picture.image)
        crops = [self._embedder.crop(picture.image, face) for face in detections]
        found = [
            (face, picture.scale, quality(crop, face, picture.scale))
            for face, crop in zip(detections, crops, strict=True)
        ]
        outcome = ImageOutcome(
            "faces" if found else "no_face",
            content_sha256=digest,
            width=picture.width,
            height=picture.height,
            captured_at=picture.captured_at,
        )
        return _Pending(key, outcome, found), crops

    def _embed(self, crops: list[tuple[_Pending, Array]]) -> None:
        for (image, _), vector in zip(crops, self._embedder.embed([crop for _, crop in crops]), strict=True):
            image.embeddings.append(vector)


def _finish(image: _Pending) -> tuple[object, ImageOutcome]:
    for (face, scale, measured), embedding in zip(image.found, image.embeddings, strict=True):
        image.outcome.faces.append(Face(face.box * scale, face.landmarks * scale, face.score, measured, embedding))
    return image.key, image.outcome
