"""Which face of a photo is the person's, and which photos will do."""

import re
from dataclasses import replace

import pyarrow as pa
import pytest

from udfs.enrolment import PHOTO, SEEN, ChooseFaces, PhotoPolicy, wanted_face
from udfs.ids import sample_id
from udfs.records import FACE

SIDE = 1000
"""Pixels of the pictures here."""


def face(size: float, sharpness: float = 100.0, at: float = 500.0, ordinal: int = 0) -> dict[str, object]:
    """A face in the middle of the picture's height; `at`: the middle of its box across."""
    box = {"left": at - size / 2, "top": 500 - size / 2, "right": at + size / 2, "bottom": 500 + size / 2}
    return {"ordinal": ordinal, "box": box, "quality": {"size": size, "sharpness": sharpness}}


def photo(*faces: dict[str, object], outcome: str = "faces", detail: str = "") -> dict[str, object]:
    numbered = [{**each, "ordinal": ordinal} for ordinal, each in enumerate(faces)]
    return {"outcome": outcome, "detail": detail, "width": SIDE, "height": SIDE, "faces": numbered}


@pytest.mark.parametrize(
    ("outcome", "several_faces", "reason"),
    [
        (photo(face(80.0)), "reject", ""),
        (photo(face(80.0), face(200.0)), "reject", "several_faces"),
        (photo(face(80.0), face(200.0)), "largest", ""),
        (photo(face(59.9)), "reject", "too_small"),
        (photo(face(59.9), face(30.0)), "largest", "too_small"),
        (photo(face(80.0, sharpness=19.9)), "reject", "too_blurred"),
        (photo(outcome="no_face"), "reject", "no_face"),
        (photo(outcome="rejected:truncated", detail="cut off"), "largest", "rejected:truncated"),
        (photo(face(80.0)), "dominant", ""),
        (photo(face(80.0, at=100.0)), "dominant", ""),
        (photo(face(200.0), face(80.0, at=100.0)), "dominant", ""),
        (photo(face(30.0, at=900.0), face(120.0), face(80.0, at=100.0)), "dominant", ""),
        (photo(face(200.0), face(134.0, at=100.0)), "dominant", "several_faces"),
        (photo(face(200.0, at=200.0), face(200.0, at=800.0)), "dominant", "several_faces"),
        (photo(face(200.0, at=200.0), face(80.0)), "dominant", "several_faces"),
        (photo(face(59.9), face(30.0, at=100.0)), "dominant", "too_small"),
    ],
)
def test_which_photos_will_do(outcome: dict[str, object], several_faces: str, reason: str) -> None:
    found, why, detail = wanted_face(outcome, PhotoPolicy(several_faces, 60.0, 20.0))  # type: ignore[arg-type]
    assert why == reason
    assert (found is None) == bool(reason)
    if found is not None:
        assert found["quality"]["size"] == max(each["quality"]["size"] for each in outcome["faces"])  # type: ignore[attr-defined]
    assert bool(detail) == (reason not in ("", "no_face"))


def test_a_refusal_says_what_helps() -> None:
    two = photo(face(80.0), face(81.0))
    _, _, dominant = wanted_face(two, PhotoPolicy("dominant", 60.0, 20.0))
    _, _, reject = wanted_face(two, PhotoPolicy("reject", 60.0, 20.0))
    assert dominant.endswith("crop the photo, or --several-faces largest --reconsider")
    assert reject.endswith("--several-faces dominant --reconsider")
    for face_of, setting in ((face(59.9), "minimum_size"), (face(80.0, sharpness=19.9), "minimum_sharpness")):
        policy = PhotoPolicy("dominant", 60.0, 20.0)
        _, _, detail = wanted_face(photo(face_of), policy)
        (value,) = re.findall(rf"or --set enroll.{setting}=(\d+) --reconsider$", detail)
        assert wanted_face(photo(face_of), replace(policy, **{setting: float(value)}))[1] == ""


def test_a_policy_is_known_by_all_that_decides() -> None:
    policies = [
        PhotoPolicy(several, size, sharpness)  # type: ignore[arg-type]
        for several in ("dominant", "reject")
        for size in (50.0, 60.0)
        for sharpness in (10.0, 20.0)
    ]
    assert len({policy.policy_id for policy in policies}) == len(policies)


def test_a_batch_of_photos_in_any_order_of_faces() -> None:
    def whole(found: dict[str, object], vector: list[float]) -> dict[str, object]:
        quality = {field.name: 0.0 for field in FACE.field("quality").type} | found["quality"]  # type: ignore[operator]
        return {**found, "face_id": "f", "landmarks": [], "score": 1.0, "quality": quality, "embedding": vector}

    of_photo = {
        "two": [whole(face(70.0, at=100.0, ordinal=1), [0.0, 1.0]), whole(face(200.0, ordinal=0), [1.0, 0.0])],
        "alike": [whole(face(200.0, ordinal=1), [0.0, -1.0]), whole(face(200.0, ordinal=0), [-1.0, 0.0])],
        "none": None,
    }
    rows = [
        {
            "person_id": f"person of {name}",
            "photo_id": name,
            "outcome": "faces" if faces else "no_face",
            "detail": "",
            "content_sha256": f"digest of {name}" if faces else None,
            "width": SIDE,
            "height": SIDE,
            "faces": faces,
        }
        for name, faces in of_photo.items()
    ]
    batch = pa.RecordBatch.from_pylist(rows, schema=PHOTO)
    choose = ChooseFaces(PhotoPolicy("largest", 60.0, 20.0), "people", "contract")
    (seen,) = choose(iter([batch.slice(1)]))
    assert seen.schema == SEEN
    assert [row["embedding"] for row in seen.to_pylist()] == [[-1.0, 0.0], None]  # of two of a size the first
    (seen,) = choose(iter([batch]))
    assert [row["embedding"] for row in seen.to_pylist()] == [[1.0, 0.0], [-1.0, 0.0], None]
    boxes = [faces and faces[1]["box"] for faces in of_photo.values()]
    assert [row["box"] for row in seen.to_pylist()] == boxes
    assert [row["reason"] for row in seen.to_pylist()] == ["", "", "no_face"]
    assert seen.column("sample_id").to_pylist() == [
        sample_id("people", "person of two", "digest of two", "contract"),
        sample_id("people", "person of alike", "digest of alike", "contract"),
        sample_id("people", "person of none", "none", "contract"),
    ]
