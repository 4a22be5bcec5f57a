"""Whether a network of one's own tells persons apart, on photos of them; and whether it would do so better with another
preprocessing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision.declaration import OnnxModel
from udfs.vision.decode import decode
from udfs.vision.detect import Detection, Detector
from udfs.vision.embed import UnitVectors, cut
from udfs.vision.finding import limits
from udfs.vision.onnx_network import of_content
from udfs.vision.own import Colour, OnnxDeclaration
from udfs.vision.rejection import RejectedError
from udfs.vision.spec import VisionSpec
from udfs.vision.views import whole

Array = np.ndarray

_SURE = 3.0
"""Standard errors by which another preprocessing must be better. FaceNet and MobileFaceNet, declared rightly, were
never refused in 600 draws of five persons or more from LFW's development view; declared with the colours reversed they
were in 8 of 10 draws of 20 persons, and in nearly all of 40."""
_PERSONS = 5
_PLAINLY = 2
"""Times the other's margin, which needs no statistics: raw pixels in the place of normalised ones leave a thirtieth."""
_HARDLY = 0.05
"""A margin that no embedder of faces has: on LFW FaceNet and MobileFaceNet have 0.7, dlib's network has 0.12, and
FaceNet and MobileFaceNet with random weights 0.000."""


@dataclass(frozen=True)
class KnownFace:
    """A face in a photo, in the photo's pixels, and whose it is."""

    person: str
    image: Image.Image
    face: Detection


def known_faces(photos: Iterable[tuple[str, bytes]], detector: Detector, spec: VisionSpec) -> list[KnownFace]:
    """The face nearest the middle of each photo (its person, the content of its file); photos that cannot be decoded or
    show none have none."""
    decoded = limits(spec, detector)
    found = []
    for person, content in photos:
        try:
            picture = decode(content, decoded)
        except RejectedError:  # the caller counts what is missing
            continue
        view = whole((picture.width, picture.height), detector.scale, spec.maximum_side).views[0].seen(picture.image)
        canvas = np.zeros((1, *detector.canvas(view.shape[1], view.shape[0]), 3), np.uint8)
        canvas[0, : view.shape[0], : view.shape[1]] = view
        faces = detector.detect(canvas)[0]
        if faces:
            middle = np.array([view.shape[1], view.shape[0]]) / 2
            nearest = min(faces, key=lambda face: float(np.abs((face.box[:2] + face.box[2:]) / 2 - middle).sum()))
            x, y = picture.image.width / view.shape[1], picture.image.height / view.shape[0]
            found.append(KnownFace(person, picture.image, nearest.scaled(x, y)))
    return found


@dataclass(frozen=True)
class Separation:
    """How much nearer photos of one person are to each other than to those of others, as similarities.

    margins: of each person who has several photos, float64 (persons,). mated, non_mated: mean similarities.
    """

    margins: Array
    mated: float
    non_mated: float

    @classmethod
    def of(cls, vectors: Array, persons: list[str]) -> "Separation":
        """vectors: float32 (n, dimension), of unit length, each of the person at the same place."""
        names = np.array(persons)
        similarities = vectors.astype(np.float64) @ vectors.astype(np.float64).T
        mated, others = [], []
        for name in dict.fromkeys(persons):
            own = names == name
            if (count := int(own.sum())) > 1:
                among = similarities[np.ix_(own, own)]
                mated.append((among.sum() - np.trace(among)) / (count * (count - 1)))
                others.append(similarities[np.ix_(own, ~own)].mean())
        return cls(np.array(mated) - np.array(others), float(np.mean(mated)), float(np.mean(others)))

    @property
    def margin(self) -> float:
        """The mean over persons."""
        return float(self.margins.mean())

    def surely_better_than(self, other: "Separation") -> bool:
        """Whether the same persons are told apart better, by more than photos differ by chance (paired t)."""
        if self.margin < _HARDLY:
            return False
        if self.margin > _PLAINLY * other.margin:
            return True
        more = self.margins - other.margins
        return len(more) >= _PERSONS and bool(more.mean() > _SURE * more.std(ddof=1) / np.sqrt(len(more)))


def separation(content: bytes, own: OnnxDeclaration, faces: list[KnownFace]) -> Separation:
    """What a network makes of faces as it is declared; `content` is that of its file."""
    spec = VisionSpec(embedder=own.name)
    crop = OnnxModel(own).crop
    crops = [cut(crop, crop.margin(spec), known.image, known.face) for known in faces]
    vectors = UnitVectors(of_content(content, own, spec), spec)(crops)
    return Separation.of(vectors, [known.person for known in faces])


def check(content: bytes, own: OnnxDeclaration, faces: list[KnownFace], file: str) -> tuple[Separation, list[str]]:
    """How well persons are separated, and warnings of another preprocessing that may do better.

    Raises:
        InputError: too few photos; or persons are hardly separated, or surely better with another preprocessing.
    """
    persons = [known.person for known in faces]
    if len(set(persons)) in (0, 1, len(persons)):
        raise InputError(
            f"faces were found in {len(persons)} photos of {len(set(persons))} persons; give photos of two persons or"
            " more, with two photos or more of one of them"
        )
    found = separation(content, own, faces)
    others = {told: separation(content, other, faces) for told, other in _others(own).items()}
    surely = {told: other for told, other in others.items() if other.surely_better_than(found)}
    if surely:
        told, best = max(surely.items(), key=lambda item: item[1].margin)
        raise InputError(
            f"{file}: photos of one person are nearer to each other than to others by {best.margin:.3f} with {told},"
            f" and by {found.margin:.3f} as declared; add {told}"
        )
    if found.margin < _HARDLY:
        raise InputError(
            f"{file}: photos of one person are hardly nearer to each other than to those of others (mean similarity"
            f" {found.mated:.3f}, {found.non_mated:.3f}); is it a trained embedder of faces? See --like, --crop,"
            " --shift and --scale"
        )
    return found, [
        f"the photos are separated a little better with {told} (by {other.margin:.3f} in place of {found.margin:.3f}),"
        " which may be chance; give photos of more persons to be sure"
        for told, other in others.items()
        if other.margin > found.margin
    ]


def _others(own: OnnxDeclaration) -> dict[str, OnnxDeclaration]:
    """What may have been meant, by the options that would say so."""
    reverse: Colour = "rgb" if own.colour == "bgr" else "bgr"
    ranges = [
        (shift, scale)
        for shift, scale in ((127.5, 127.5), (0.0, 255.0), (0.0, 1.0))
        if shift != own.shift or abs(scale - own.scale) > 1  # 127.5 and 128 are both in use, and the same to faces
    ]
    return {
        f"--colour {reverse}": replace(own, colour=reverse),
        **{f"--shift {shift:g} --scale {scale:g}": replace(own, shift=shift, scale=scale) for shift, scale in ranges},
    }
