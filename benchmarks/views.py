"""Faces in large pictures: which of those that are found when they are cut out are found, how alike the embeddings are,
and how long it takes.

python -m benchmarks.views --data FOLDER
"""

import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import numpy as np
from PIL import Image

from benchmarks.data import PhotoFile, data_option, facenet, lfw
from benchmarks.rounds import isa, save
from udfs.vision.pipeline import FacePipeline, ImageOutcome
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import settled

Array = np.ndarray


@dataclass(frozen=True)
class Scene:
    """A picture that is made of portraits of known faces on a smooth ground.

    faces: how many, or as many as there is room for. sides: pixels of the shorter side of each, from and to. close: of
    one more in the middle.
    """

    size: tuple[int, int]
    faces: int
    sides: tuple[float, float]
    form: str = "JPEG"
    close: float | None = None


SCENES = {
    "a few": Scene((8_000, 6_000), 6, (110, 110)),
    "a crowd": Scene((4_096, 4_096), 456, (44, 44)),
    "panorama": Scene((30_000, 2_000), 60, (75, 312)),
    "strip": Scene((40_000, 700), 20, (145, 145)),
    "telephone": Scene((4_032, 3_024), 40, (44, 150), close=900),
    "large telephone": Scene((12_000, 9_000), 60, (60, 300), close=4_000),
    "PNG": Scene((8_660, 5_774), 60, (44, 400), form="PNG"),
}


@dataclass(frozen=True)
class Portrait:
    """A photo of one face, whose shorter side has `side` pixels."""

    image: Image.Image
    side: float

    def scaled_to(self, side: float) -> Image.Image:
        """The photo, so large that its face is."""
        factor = side / self.side
        size = (round(self.image.width * factor), round(self.image.height * factor))
        return self.image.resize(size, Image.Resampling.LANCZOS)


def outcomes(pipeline: FacePipeline, contents: Sequence[bytes]) -> list[ImageOutcome]:
    """Of each image."""
    return [outcome for _, outcome in pipeline.run((at, partial(bytes, one)) for at, one in enumerate(contents))]


def portraits(pipeline: FacePipeline, photos: Sequence[PhotoFile]) -> list[Portrait]:
    """The photos that show one face."""
    found = outcomes(pipeline, [photo.content for photo in photos])
    return [
        Portrait(Image.open(io.BytesIO(photo.content)).convert("RGB"), outcome.faces[0].quality.size)
        for photo, outcome in zip(photos, found, strict=True)
        if len(outcome.faces) == 1
    ]


def made(scene: Scene, known: Sequence[Portrait], random: np.random.Generator) -> tuple[bytes, list[Array]]:
    """The picture's file, and the box of each portrait in it: left, top, right, bottom."""
    columns, rows = scene.size
    ground = random.integers(40, 160, (max(2, rows // 200), max(2, columns // 200), 3)).astype(np.uint8)
    picture = Image.fromarray(ground).resize(scene.size, Image.Resampling.BICUBIC)
    boxes: list[Array] = []
    chosen = list(random.permutation(len(known)))
    if scene.close is not None:
        photo = known[chosen.pop()].scaled_to(scene.close)
        photo.thumbnail((0.9 * columns, 0.9 * rows))
        boxes.append(_put(picture, photo, (columns - photo.width) // 2, (rows - photo.height) // 2))
    photos = [known[at].scaled_to(random.uniform(*scene.sides)) for at in random.choice(chosen, scene.faces)]
    cell = max(max(photo.size) for photo in photos) + 4
    places = [(x, y) for y in range(0, rows - cell + 1, cell) for x in range(0, columns - cell + 1, cell)]
    free = [(x, y) for x, y in places if not any(_overlap(box, x, y, cell) for box in boxes)]
    for photo, place in zip(photos, random.permutation(len(free)), strict=False):
        boxes.append(_put(picture, photo, *free[place]))
    content = io.BytesIO()
    picture.save(content, scene.form, **({"quality": 90} if scene.form == "JPEG" else {"compress_level": 1}))
    return content.getvalue(), boxes


def _put(picture: Image.Image, photo: Image.Image, x: int, y: int) -> Array:
    picture.paste(photo, (x, y))
    return np.array([x, y, x + photo.width, y + photo.height])


def _overlap(box: Array, x: int, y: int, side: int) -> bool:
    return bool(box[0] < x + side and x < box[2] and box[1] < y + side and y < box[3])


def compared(pipeline: FacePipeline, content: bytes, boxes: Sequence[Array]) -> dict[str, object]:
    """What is found in a picture, against what is found in its portraits cut out."""
    began = time.perf_counter()
    (whole,) = outcomes(pipeline, [content])
    seconds = time.perf_counter() - began
    with Image.open(io.BytesIO(content)) as picture:
        cut_out = [_png(picture.crop(tuple(box))) for box in boxes]
    alone = outcomes(pipeline, cut_out)
    both, near = 0, []
    for box, outcome in zip(boxes, alone, strict=True):
        inside = [face for face in whole.faces if _holds(box, (face.box[:2] + face.box[2:]) / 2)]
        if inside and outcome.faces:
            both += 1
            near.append(max(float(one.embedding @ other.embedding) for one in inside for other in outcome.faces))
    wanted = sum(bool(outcome.faces) for outcome in alone)
    return {
        "portraits": len(boxes),
        "cut_out": wanted,
        "found": both,
        "share": round(both / max(1, wanted), 4),
        "similarity_5th_percentile": round(float(np.percentile(near, 5)), 3) if near else None,
        "seconds": round(seconds, 2),
        "detail": whole.detail,
    }


def _png(image: Image.Image) -> bytes:
    content = io.BytesIO()
    image.save(content, "PNG", compress_level=1)
    return content.getvalue()


def _holds(box: Array, point: Array) -> bool:
    return bool((box[:2] <= point).all() and (point < box[2:]).all())


@click.command(help=__doc__)
@data_option
@click.option("--threads", default=1, show_default=True)
def main(data: Path, threads: int) -> None:
    Image.MAX_IMAGE_PIXELS = None
    files = (("facenet-vggface2", str(facenet(data))),)
    pipeline = FacePipeline(settled(VisionSpec(precision="fastest", threads=threads, weights=files)))
    known = portraits(pipeline, lfw(data, 600))
    random = np.random.default_rng(0)
    figures: dict[str, object] = {"threads": threads, "memory_mib": pipeline.spec.memory / 2**20}
    shares = []
    for name, scene in SCENES.items():
        found = compared(pipeline, *made(scene, known, random))
        figures[name] = {"size": list(scene.size), "form": scene.form, "sides": list(scene.sides), **found}
        shares.append(float(str(found["share"])))
        print(f"{name}: {scene.size[0]} x {scene.size[1]} {scene.form}, {found}", flush=True)
    print(f"written to {save('views', figures)}")
    print(f"views: lowest_share={min(shares):.3f} isa={isa()}")


if __name__ == "__main__":
    main()
