"""MTCNN against facenet-pytorch, called directly."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from facenet_pytorch import MTCNN
from PIL import Image

from udfs.vision import weights
from udfs.vision.detect import Detection
from udfs.vision.mtcnn import Mtcnn
from udfs.vision.spec import VisionSpec


def ours(minimum_face: int) -> Mtcnn:
    return Mtcnn(VisionSpec(detector="mtcnn", minimum_face=minimum_face, threads=2), weights.source("mtcnn"))


def theirs(detector: MTCNN, picture: np.ndarray) -> list[Detection]:
    boxes, scores, points = detector.detect(Image.fromarray(picture), landmarks=True)
    found = [] if boxes is None else zip(boxes, points, scores, strict=True)
    return [Detection(box, landmarks, score) for box, landmarks, score in found if score >= Mtcnn.score]


def overlap(left: Detection, right: Detection) -> float:
    """Intersection over union."""
    start = np.maximum(left.box[:2], right.box[:2])
    end = np.minimum(left.box[2:], right.box[2:])
    shared = float(np.prod(np.maximum(end - start, 0)))
    sizes = [float(np.prod(face.box[2:] - face.box[:2])) for face in (left, right)]
    return shared / (sum(sizes) - shared)


def agreement(paths: Iterable[Path], minimum_face: int) -> tuple[float, float]:
    """The share of pictures with the same faces (each box at an overlap of 0.95), and the mean overlap."""
    here, there = ours(minimum_face), MTCNN(min_face_size=minimum_face, keep_all=True)
    agreed, overlaps = [], []
    for path in paths:
        picture = np.asarray(Image.open(path).convert("RGB"))
        found, wanted = here.detect(picture[None])[0], theirs(there, picture)
        best = [max((overlap(face, other) for other in found), default=0.0) for face in wanted]
        agreed.append(len(found) == len(wanted) and min(best, default=1.0) >= 0.95)
        overlaps += best
    return float(np.mean(agreed)), float(np.mean(overlaps))


def photos(shared: Path, folder: str, every: int) -> list[Path]:
    return sorted((shared / folder / "images").rglob("*.jpg"))[::every]


@pytest.mark.parametrize(("folder", "every", "minimum_face"), [("wider-dev", 19, 40), ("lfw-dev", 200, 20)])
def test_some_photos(shared: Path, folder: str, every: int, minimum_face: int) -> None:
    same, mean = agreement(photos(shared, folder, every), minimum_face)
    assert same == 1.0
    assert mean > 0.999


@pytest.mark.slow
@pytest.mark.parametrize(("folder", "every"), [("wider-dev", 3), ("lfw-dev", 20)])
def test_many_photos(shared: Path, folder: str, every: int) -> None:
    same, mean = agreement(photos(shared, folder, every), 40)
    print(f"\nmtcnn: {folder}: same faces as facenet-pytorch in {same:.1%} of the photos, mean overlap {mean:.5f}")
    assert same >= 0.99


def test_what_else_is_in_the_batch_changes_nothing(demo_photos: tuple[Path, Path]) -> None:
    (lake,) = demo_photos[0].iterdir()
    portrait = np.asarray(Image.open(lake / "astronaut.png").convert("RGB").reduce(2))
    noise = np.random.default_rng(2).integers(0, 256, portrait.shape, np.uint8)
    black = np.zeros_like(portrait)
    first = ours(40).detect(np.stack([portrait, black, noise]))
    last = ours(40).detect(np.stack([noise, portrait, portrait]))
    assert [len(faces) for faces in first] == [1, 0, 0]
    assert [len(faces) for faces in last] == [0, 1, 1]
    boxes = {faces[0].box.tobytes() for faces in (first[0], last[1], last[2])}
    assert len(boxes) == 1


@pytest.mark.parametrize("minimum_face", [40, 47, 94])
def test_pictures_no_larger_than_the_smallest_face(minimum_face: int) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (1, minimum_face, minimum_face + 60, 3), np.uint8)
    assert ours(minimum_face).detect(picture) == [[]]
    assert ours(minimum_face).detect(picture[:, 5:]) == [[]]
