"""Arrow in, Arrow out: what was found in photos of persons to the one face of each that is the person's."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from udfs.arrow import RecordBatches
from udfs.ids import sample_id, stable_id
from udfs.records import BOX, OUTCOME, QUALITY

SeveralFaces = Literal["dominant", "largest", "reject"]
SEVERAL_FACES: tuple[str, ...] = get_args(SeveralFaces)
"""What to do with a photo of several faces: take the one that is clearly the largest and nearest the middle, if one is;
take the largest; or refuse the photo."""

CLEARLY_LARGER = 1.5
"""How many times as large as every other face a dominant one is, by the shorter sides of their boxes."""

PHOTO = pa.schema(
    [
        ("person_id", pa.string()),
        ("photo_id", pa.string()),
        *[OUTCOME.field(name) for name in ("outcome", "detail", "content_sha256", "width", "height", "faces")],
    ]
)
"""A photo of a person, and what was found in it."""

SEEN = pa.schema(
    [
        ("person_id", pa.string()),
        ("photo_id", pa.string()),
        ("sample_id", pa.string()),
        ("content_sha256", pa.string()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("box", BOX),
        ("quality", QUALITY),
        ("embedding", pa.list_(pa.float32())),
    ]
)
"""A photo of a person, and the person's face; or why it is refused, and then FACE_OF_PERSON is null."""

FACE_OF_PERSON = ("box", "quality", "embedding")
"""What is known of a person's face."""


@dataclass(frozen=True)
class PhotoPolicy:
    """What a photo must be: what to do with several faces, the least size in pixels, the least sharpness."""

    several_faces: SeveralFaces
    minimum_size: float
    minimum_sharpness: float

    @property
    def policy_id(self) -> str:
        """All that decides which face is taken."""
        return stable_id(
            "photo policy", self.several_faces, str(self.minimum_size), str(self.minimum_sharpness), str(CLEARLY_LARGER)
        )


Face = dict[str, Any]


def wanted_face(outcome: dict[str, Any], policy: PhotoPolicy) -> tuple[Face | None, str, str]:
    """The one face of a photo, or the reason why the photo is refused, and more about that.

    outcome: what was found in the photo (records.OUTCOME), the faces in their order.
    """
    if outcome["outcome"] != "faces":
        return None, outcome["outcome"], outcome["detail"]
    faces = outcome["faces"]
    face = faces[0] if len(faces) == 1 else _OF_SEVERAL[policy.several_faces](outcome)
    if face is None:
        return None, "several_faces", f"{len(faces)} faces; {_ADVICE[policy.several_faces]}"
    size, sharpness = face["quality"]["size"], face["quality"]["sharpness"]
    if size < policy.minimum_size:
        return None, "too_small", _short_of(f"{size:.0f} pixels", "are", policy.minimum_size, "minimum_size", size)
    if sharpness < policy.minimum_sharpness:
        least = policy.minimum_sharpness
        return None, "too_blurred", _short_of(f"sharpness {sharpness:.0f}", "is", least, "minimum_sharpness", sharpness)
    return face, "", ""


def _short_of(found: str, is_or_are: str, wanted: float, setting: str, enough: float) -> str:
    """What a face is short of, and the setting by which it would do. The photo is not looked at again by itself."""
    would_do = f"--set enroll.{setting}={math.floor(enough)} --reconsider"
    return f"{found}; {wanted:.0f} {is_or_are} wanted; give a better photo, or {would_do}"


def _largest(outcome: dict[str, Any]) -> Face:
    found: Face = max(outcome["faces"], key=_size)
    return found


def _dominant(outcome: dict[str, Any]) -> Face | None:
    """The face that is clearly the largest, if it is nearest the middle of the picture as well."""
    face, faces = _largest(outcome), outcome["faces"]
    larger = all(_size(face) >= CLEARLY_LARGER * _size(other) for other in faces if other is not face)
    off_centre = [_off_centre(other, outcome) for other in faces]
    return face if larger and _off_centre(face, outcome) == min(off_centre) else None


def _size(face: Face) -> float:
    return float(face["quality"]["size"])


def _off_centre(face: Face, outcome: dict[str, Any]) -> float:
    """How far the middle of a box is from the middle of the picture, in half pixels, across and down."""
    box = face["box"]
    across = box["left"] + box["right"] - outcome["width"]
    down = box["top"] + box["bottom"] - outcome["height"]
    return float(abs(across) + abs(down))


_OF_SEVERAL: dict[str, Callable[[dict[str, Any]], Face | None]] = {
    "dominant": _dominant,
    "largest": _largest,
    "reject": lambda _: None,
}
_ADVICE = {
    "dominant": "none is clearly the largest and nearest the middle; crop the photo, or --several-faces largest"
    " --reconsider",
    "reject": "crop the photo, or take a face that is clearly the largest: --several-faces dominant --reconsider",
}


@dataclass(frozen=True)
class ChooseFaces:
    """Photos (PHOTO) -> the face of each (SEEN). The names of samples are of a gallery and a contract."""

    policy: PhotoPolicy
    gallery_name: str
    contract_id: str

    def __call__(self, batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            yield self.of(batch)

    def of(self, photos: pa.RecordBatch) -> pa.RecordBatch:
        """The same, of one batch."""
        faces = photos.column("faces")
        flat = faces.flatten()
        chosen: list[int | None] = []
        told: list[tuple[str, str, str]] = []
        known = ("person_id", "photo_id", "outcome", "detail", "content_sha256", "width", "height")
        for photo, in_photo in zip(photos.select(known).to_pylist(), _described(faces, flat), strict=True):
            face, reason, detail = wanted_face({**photo, "faces": in_photo}, self.policy)
            chosen.append(None if face is None else face["row"])
            content = photo["content_sha256"] or photo["photo_id"]
            name = sample_id(self.gallery_name, photo["person_id"], content, self.contract_id)
            told.append((name, reason, detail))
        names, reasons, details = zip(*told, strict=True) if told else ((), (), ())
        rows = pa.array(chosen, pa.int64())
        columns = {
            **{name: photos.column(name) for name in ("person_id", "photo_id", "content_sha256")},
            "sample_id": pa.array(names, pa.string()),
            "reason": pa.array(reasons, pa.string()),
            "detail": pa.array(details, pa.string()),
            **{name: flat.field(name).take(rows) for name in FACE_OF_PERSON},
        }
        return pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in SEEN], schema=SEEN)


def _described(faces: pa.ListArray, flat: pa.StructArray) -> Sequence[list[Face]]:
    """The faces of each photo in their order, without the embeddings, each with its row among all."""
    of_photo: list[list[Face]] = [[] for _ in range(len(faces))]
    columns = {name: flat.field(name).to_pylist() for name in ("ordinal", "box", "quality")}
    photos = pc.list_parent_indices(faces).to_pylist()
    for row, (photo, *values) in enumerate(zip(photos, *columns.values(), strict=True)):
        of_photo[photo].append({**dict(zip(columns, values, strict=True)), "row": row})
    return [sorted(found, key=lambda face: face["ordinal"]) for found in of_photo]
