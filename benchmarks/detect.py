"""The detectors against each other and against facenet-pytorch: what they find in crowds, and how fast.

python -m benchmarks.detect --data FOLDER
"""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from benchmarks.data import data_option, found, wider
from benchmarks.rounds import alternate, isa, save
from udfs.vision import weights
from udfs.vision.detect import Detector, detector_class, second_looks
from udfs.vision.models import detector
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec
from udfs.vision.views import whole

Array = np.ndarray
Boxes = list[Array]

MINIMUM_FACE = 40


def by_facenet(pictures: list[Image.Image]) -> Callable[[], Boxes]:
    """facenet-pytorch's own MTCNN."""
    mtcnn = MTCNN(keep_all=True, min_face_size=MINIMUM_FACE)

    def run() -> Boxes:
        boxes = [mtcnn.detect(picture)[0] for picture in pictures]
        return [np.zeros((0, 4)) if found is None else found for found in boxes]

    return run


def by_rollcall(pictures: list[Image.Image], spec: VisionSpec) -> Callable[[], Boxes]:
    """One of this project's detectors, a picture a thread, the reduction it wants included."""
    network: Detector = detector_class(detector(spec.detector))(spec, weights.source(spec.detector))

    def search(picture: Image.Image) -> Array:
        shown = whole(picture.size, network.scale, max(picture.size)).views[0]
        view = shown.seen(picture)
        canvas = np.zeros((1, *network.canvas(view.shape[1], view.shape[0]), 3), np.uint8)
        canvas[0, : view.shape[0], : view.shape[1]] = view
        rows, columns = view.shape[:2]
        faces = second_looks(network, picture, shown.own(network.detect(canvas)[0]), (columns, rows))
        across, down = picture.width / columns, picture.height / rows
        return np.array([face.scaled(across, down).box for face in faces]).reshape(-1, 4)

    def run() -> Boxes:
        with ThreadPoolExecutor(spec.threads) as pool:
            return list(pool.map(search, pictures))

    return run


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=3, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads each detector computes on.")
def main(data: Path, rounds: int, threads: int) -> None:
    torch.set_num_threads(threads)
    crowds = wider(data)
    pictures = [Image.open(io.BytesIO(photo.content)).convert("RGB") for photo in crowds]
    fastest = cpu_precisions()[-1]
    specs = {
        "mtcnn fp32": VisionSpec(detector="mtcnn", threads=threads),
        "centerface fp32": VisionSpec(detector="centerface", threads=threads),
        f"centerface {fastest}": VisionSpec(detector="centerface", threads=threads, precision=fastest),
        f"centerface-twice {fastest}": VisionSpec(detector="centerface-twice", threads=threads, precision=fastest),
    }
    print(f"{len(pictures)} photos, minimum face {MINIMUM_FACE}, {threads} threads, {isa()}")
    timings = alternate(
        {
            "facenet-pytorch mtcnn": by_facenet(pictures),
            **{name: by_rollcall(pictures, spec) for name, spec in specs.items()},
        },
        rounds,
    )
    figures: dict[str, object] = {"photos": len(pictures), "threads": threads, "minimum_face": MINIMUM_FACE}
    print(f"\n{'':24} {'ms/image':>9} {'recall':>7} {'found':>6} {'false':>6}")
    for name, timing in timings.items():
        held = found(crowds, timing.result, MINIMUM_FACE)  # type: ignore[arg-type]
        speed = 1000 * timing.median / len(pictures)
        print(f"{name:24} {speed:9.1f} {held.recall:7.3f} {held.boxes:6} {held.false:6}")
        figures[name] = {
            "ms_per_image": round(speed, 2),
            "recall": round(held.recall, 4),
            "found": held.boxes,
            "false": held.false,
            "marked": held.marked,
        }
    once, twice = f"centerface {fastest}", f"centerface-twice {fastest}"
    base, best = timings["facenet-pytorch mtcnn"].median, timings[twice].median
    figures["ratio"] = round(base / best, 2)
    figures["cost"] = round(best / timings[once].median, 3)
    compared = [found(crowds, timings[name].result, MINIMUM_FACE) for name in (once, twice)]  # type: ignore[arg-type]
    recall, false = [held.recall for held in compared], [held.false for held in compared]
    print(f"written to {save('detect', figures)}")
    print(
        f"detect: ratio={base / best:.2f} mtcnn_ratio={base / timings['mtcnn fp32'].median:.2f}"
        f" recall={recall[1]:.4f} recall_once={recall[0]:.4f} false={false[1]} false_once={false[0]}"
        f" cost={figures['cost']} isa={isa()}"
    )


if __name__ == "__main__":
    main()
