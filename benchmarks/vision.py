"""From image bytes to embeddings: this project against the loop that users of facenet-pytorch write.

python -m benchmarks.vision --data FOLDER
"""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image, UnidentifiedImageError

from benchmarks import data as photos_of
from benchmarks.data import PhotoFile, data_option, facenet, found
from benchmarks.rounds import alternate, isa, save
from udfs.vision.pipeline import FacePipeline
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import settled

Array = np.ndarray
Boxes = list[Array]
"""The boxes embedded in each photo, float (n, 4)."""

MINIMUM_FACE = 40
FACENET_SCORE = 0.7
"""Of its last network: with it, `mtcnn` embeds the faces that facenet-pytorch does."""


def facenet_loop(photos: list[PhotoFile], weights: Path, minimum_face: int) -> Callable[[], Boxes]:
    """What a user of facenet-pytorch writes: an image at a time through MTCNN and InceptionResnetV1."""
    from facenet_pytorch import MTCNN, InceptionResnetV1

    detector = MTCNN(keep_all=True, min_face_size=minimum_face)
    network = InceptionResnetV1().eval()
    network.load_state_dict(torch.load(weights, weights_only=True), strict=False)

    def run() -> Boxes:
        boxes = []
        for photo in photos:
            try:
                image = Image.open(io.BytesIO(photo.content)).convert("RGB")
            except UnidentifiedImageError:
                boxes.append(np.zeros((0, 4)))
                continue
            found_boxes, _ = detector.detect(image)
            if found_boxes is None:
                boxes.append(np.zeros((0, 4)))
                continue
            with torch.no_grad():
                network(detector.extract(image, found_boxes, None))
            boxes.append(found_boxes)
        return boxes

    return run


def rollcall(photos: list[PhotoFile], spec: VisionSpec) -> Callable[[], Boxes]:
    """This project's stream."""
    pipeline = FacePipeline(spec)

    def run() -> Boxes:
        images = ((photo.name, partial(_content, photo)) for photo in photos)
        return [np.array([face.box for face in outcome.faces]).reshape(-1, 4) for _, outcome in pipeline.run(images)]

    return run


def _content(photo: PhotoFile) -> bytes:
    return photo.content


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=3, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads each candidate computes on.")
def main(data: Path, rounds: int, threads: int) -> None:
    torch.set_num_threads(threads)
    crowds = photos_of.wider(data)
    photos = [*crowds, *photos_of.lfw(data, 300), *photos_of.photos(data)]
    weights = facenet(data)
    files = (("facenet-vggface2", str(weights)),)
    plain = VisionSpec(minimum_face=MINIMUM_FACE, threads=threads, weights=files)
    same = replace(plain, detector="mtcnn", embedder="facenet-vggface2", detection_score=FACENET_SCORE)
    shipped = settled(replace(plain, precision="fastest"))
    old = replace(plain, embedder="facenet-vggface2", precision=cpu_precisions()[-1])
    names = {
        "a": "facenet-pytorch, its defaults (minimum face 20)",
        "a40": f"facenet-pytorch, minimum face {MINIMUM_FACE}",
        "b": f"rollcall, mtcnn, fp32, minimum face {MINIMUM_FACE}, same faces",
        "c": f"rollcall, defaults (centerface, {shipped.embedder}), minimum face {MINIMUM_FACE}",
        "old": f"rollcall, defaults of 0.1.0 (facenet {old.precision})",
    }
    print(
        f"{len(photos)} photos, {threads} threads, {isa()}; the defaults detect in {shipped.for_detector().precision}"
        f" and embed in {shipped.precision}"
    )
    timings = alternate(
        {
            "a": facenet_loop(photos, weights, 20),
            "a40": facenet_loop(photos, weights, MINIMUM_FACE),
            "b": rollcall(photos, same),
            "c": rollcall(photos, shipped),
            "old": rollcall(photos, old),
        },
        rounds,
    )
    figures: dict[str, object] = {"photos": len(photos), "threads": threads, "rounds": rounds}
    recall = {}
    print(f"\n{'':52} {'images/s':>9} {'faces':>7} {'faces/s':>8} {'recall':>7} {'false':>6}")
    for key, timing in timings.items():
        boxes: Boxes = timing.result  # type: ignore[assignment]
        faces = sum(map(len, boxes))
        held = found(crowds, boxes[: len(crowds)], MINIMUM_FACE)
        recall[key] = held.recall
        speed = len(photos) / timing.median
        print(
            f"{key:4}{names[key]:48} {speed:9.2f} {faces:7} {faces / timing.median:8.1f} {held.recall:7.3f}"
            f" {held.false:6}"
        )
        figures[key] = {
            "what": names[key],
            "images_per_second": round(speed, 3),
            "seconds": [round(second, 2) for second in timing.seconds],
            "faces": faces,
            "true_faces": held.true,
            "marked_faces": held.marked,
            "false": held.false,
        }
    seconds = {key: timing.median for key, timing in timings.items()}
    ratios = {
        "ratio": round(seconds["a"] / seconds["c"], 2),
        "same_min": round(seconds["a40"] / seconds["c"], 2),
        "mtcnn_ratio": round(seconds["a40"] / seconds["b"], 2),
    }
    print(f"written to {save('vision', {**figures, **ratios})}")
    print(
        f"vision: ratio={ratios['ratio']} same_min={ratios['same_min']} mtcnn_ratio={ratios['mtcnn_ratio']}"
        f" recall={recall['c']:.3f} baseline_recall={recall['a']:.3f} isa={isa()}"
    )


if __name__ == "__main__":
    main()
