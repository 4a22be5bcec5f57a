from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.udfs.vision.pictures import encoded
from udfs.lake import ReadError
from udfs.vision.pipeline import FacePipeline, ImageOutcome, Read
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec

MIXED = (
    "group.jpg",
    "coffee.png",
    "speech.jpg",
    "cut_off.jpg",
    "astronaut.png",
    "notes.jpg",
    "lying_on_its_side.jpg",
)


@pytest.fixture(scope="module", params=["centerface", "mtcnn"])
def pipeline(request: pytest.FixtureRequest, dlib_weights: Path, centerface_weights: Path) -> FacePipeline:
    return FacePipeline(VisionSpec(detector=request.param, embedder="dlib-resnet-v1", batch_size=4, threads=2))


def reading(content: bytes | ReadError) -> Read:
    def read() -> bytes:
        if isinstance(content, ReadError):
            raise content
        return content

    return read


def run(pipeline: FacePipeline, images: Iterable[tuple[object, bytes | ReadError]]) -> list[tuple[str, ImageOutcome]]:
    return [(str(key), outcome) for key, outcome in pipeline.run((key, reading(content)) for key, content in images)]


def bits(outcome: ImageOutcome) -> list[bytes]:
    return [face.box.tobytes() + face.landmarks.tobytes() + face.embedding.tobytes() for face in outcome.faces]


def test_the_stream_gives_the_same_bits_as_one_image_at_a_time(
    pipeline: FacePipeline, demo_photos: tuple[Path, Path]
) -> None:
    (lake,) = demo_photos[0].iterdir()
    images: list[tuple[object, bytes | ReadError]] = [(name, (lake / name).read_bytes()) for name in MIXED]
    images.insert(3, ("lost", ReadError("gone", "no such file")))
    together = run(pipeline, images)
    alone = [run(pipeline, [image])[0] for image in images]
    assert [key for key, _ in together] == [key for key, _ in images]
    for (_, left), (_, right) in zip(together, alone, strict=True):
        assert (left.outcome, left.width, left.height) == (right.outcome, right.width, right.height)
        assert bits(left) == bits(right)
    outcomes = {key: outcome.outcome for key, outcome in together}
    assert outcomes == {
        "group.jpg": "faces",
        "coffee.png": "no_face",
        "speech.jpg": "faces",
        "lost": "rejected:gone",
        "cut_off.jpg": "rejected:truncated",
        "astronaut.png": "faces",
        "notes.jpg": "rejected:not_an_image",
        "lying_on_its_side.jpg": "faces",
    }


def test_boxes_are_those_of_the_upright_original(pipeline: FacePipeline, demo_photos: tuple[Path, Path]) -> None:
    (lake,) = demo_photos[0].iterdir()
    portrait = Image.open(lake / "astronaut.png").convert("RGB")
    large = portrait.resize((portrait.width * 6, portrait.height * 6))  # beyond maximum_side
    ((_, small), (_, scaled)) = run(
        pipeline, [("small", (lake / "astronaut.png").read_bytes()), ("large", encoded(large))]
    )
    assert scaled.width == large.width
    assert np.abs(scaled.faces[0].box / 6 - small.faces[0].box).max() < 6
    assert scaled.faces[0].quality.size == pytest.approx(6 * small.faces[0].quality.size, rel=0.08)


@pytest.mark.parametrize(("size", "form"), [((6000, 4000), "JPEG"), ((9000, 500), "PNG")])
def test_small_faces_in_large_pictures_are_found(
    pipeline: FacePipeline, demo_photos: tuple[Path, Path], size: tuple[int, int], form: str
) -> None:
    (lake,) = demo_photos[0].iterdir()
    portrait = Image.open(lake / "astronaut.png").convert("RGB").resize((300, 300))  # the face: 62 pixels
    large = Image.new("RGB", size, (90, 120, 90))
    corners = [(0, 0), (size[0] // 2 + 7, size[1] // 3), (size[0] - 300, size[1] - 300)]
    for corner in corners:
        large.paste(portrait, corner)
    images = [("large", encoded(large, form)), ("small", encoded(portrait, "PNG"))]
    (_, found), (_, alone) = run(pipeline, images)
    (known,) = alone.faces
    assert (found.outcome, found.detail, found.width, found.height) == ("faces", "", *size)
    assert len(found.faces) == len(corners)
    for corner in corners:
        near = min(found.faces, key=lambda face: abs(face.box[:2] - known.box[:2] - corner).max())
        assert np.abs(near.box - known.box - (corner * 2)).max() < 12
        assert float(near.embedding @ known.embedding) > 0.9


def test_what_memory_does_not_allow_is_said(demo_photos: tuple[Path, Path], pipeline: FacePipeline) -> None:
    """One JPEG as large as that is seen smaller; a PNG is refused; and those beside them are as they were."""
    (lake,) = demo_photos[0].iterdir()
    portrait = Image.open(lake / "astronaut.png").convert("RGB")
    large = Image.new("RGB", (5000, 3000), (90, 120, 90))
    large.paste(portrait.resize((1500, 1500)), (1000, 1000))
    tight = FacePipeline(replace(pipeline.spec, memory=8 << 20))
    names = ["astronaut.png", "large.jpg", "large.png", "group.jpg"]
    images = [
        (names[0], (lake / names[0]).read_bytes()),
        (names[1], encoded(large, "JPEG")),
        (names[2], encoded(large, "PNG")),
        (names[3], (lake / names[3]).read_bytes()),
    ]
    found = {str(key): outcome for key, outcome in run(tight, images)}
    assert list(found) == names
    assert (found["large.jpg"].outcome, len(found["large.jpg"].faces)) == ("faces", 1)
    assert "searched at 1/4 of its size" in found["large.jpg"].detail
    assert "faces under 80 pixels are missed" in found["large.jpg"].detail or pipeline.detector.scale == 1
    assert found["large.png"].outcome == "rejected:too_large"
    assert found["large.png"].detail.endswith("raise vision.memory")
    for name, outcome in run(pipeline, [images[0], images[3]]):
        assert bits(outcome) == bits(found[name])


def test_embeddings_are_unit_vectors_that_tell_people_apart(
    pipeline: FacePipeline, demo_photos: tuple[Path, Path]
) -> None:
    people = sorted(demo_photos[1].glob("*/*.jpg"))
    found = {
        path: outcome.faces[0].embedding
        for path, (_, outcome) in zip(
            people, run(pipeline, ((path, path.read_bytes()) for path in people)), strict=True
        )
    }
    for left, right in combinations(people, 2):
        near = float(found[left] @ found[right])
        assert (near > 0.94) == (left.parent == right.parent)
    assert all(abs(np.linalg.norm(vector) - 1) < 1e-6 for vector in found.values())


def test_bf16_stays_near(dlib_weights: Path, centerface_weights: Path, demo_photos: tuple[Path, Path]) -> None:
    content = next(demo_photos[1].glob("joe_biden/*")).read_bytes()
    if "bf16" not in cpu_precisions():
        pytest.skip("this CPU does not compute in bf16")
    faces = [
        run(FacePipeline(VisionSpec(embedder="dlib-resnet-v1", precision=precision)), [("x", content)])[0][1].faces[0]
        for precision in ("fp32", "bf16")
    ]
    assert float(faces[0].embedding @ faces[1].embedding) > 0.999


@pytest.mark.parametrize(
    "settings",
    [pytest.param({"margin": 0, "minimum_face": 20}, marks=pytest.mark.slow), {"margin": 14, "minimum_face": 40}],
)
def test_distances_are_those_of_facenet_pytorch(shared: Path, facenet_weights: Path, settings: dict[str, int]) -> None:
    """Against facenet-pytorch called directly, at its own defaults and at ours."""
    import torch
    from facenet_pytorch import MTCNN, InceptionResnetV1

    portraits = [
        shared / "photos" / "facenet" / f"{name}.jpg"
        for name in ("angelina_jolie", "kate_siegel", "paul_rudd", "shea_whigham")
    ]
    detector = MTCNN(margin=settings["margin"], min_face_size=settings["minimum_face"])
    network = InceptionResnetV1().eval()
    network.load_state_dict(torch.load(facenet_weights, weights_only=True), strict=False)
    with torch.inference_mode():
        theirs = network(torch.stack([detector(Image.open(path)) for path in portraits])).numpy()

    spec = VisionSpec(
        detector="mtcnn", embedder="facenet-vggface2", **settings, weights=(("facenet-vggface2", str(facenet_weights)),)
    )
    ours = np.stack(
        [
            max(outcome.faces, key=lambda face: face.quality.size).embedding
            for _, outcome in run(FacePipeline(spec), ((path, path.read_bytes()) for path in portraits))
        ]
    )
    for left, right in combinations(range(4), 2):
        distance = np.linalg.norm(ours[left] - ours[right])
        assert distance == pytest.approx(np.linalg.norm(theirs[left] - theirs[right]), abs=1e-3)
