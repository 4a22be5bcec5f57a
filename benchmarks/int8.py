"""FaceNet in 8-bit integers against bf16 and float32: how fast, and what it costs in accuracy.

python -m benchmarks.int8 --data FOLDER [--write-ranges]

The ranges it rounds to are measured on LFW's training pairs. Accuracy is measured on its test pairs, which show
other persons.
"""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image

from benchmarks.data import data_option, facenet
from benchmarks.rounds import alternate, isa, save
from evaluation.pairs import Pair, best_accuracy, read_pairs
from udfs.search.similarity import similarity
from udfs.vision import facenet as model
from udfs.vision import weights
from udfs.vision.detect import Detection
from udfs.vision.embed import Embedder
from udfs.vision.int8 import Ranges
from udfs.vision.models import embedder
from udfs.vision.pipeline import FacePipeline
from udfs.vision.runtime import fastest_precision
from udfs.vision.spec import VisionSpec

Array = np.ndarray

BATCH, CALIBRATION_BATCHES, TIMED_BATCHES = 16, 12, 20
RANGES = Path(model.__file__).with_name("facenet-vggface2-int8.json")


def crops_of(data: Path, spec: VisionSpec, images: list[str]) -> dict[str, Array]:
    """The crop of the face nearest the middle of each image: uint8 (160, 160, 3)."""
    folder = data / "lfw-dev" / "images"
    embedder_of_crops = embedder(spec.embedder).untrained(spec)
    crops = {}
    for name, outcome in FacePipeline(spec).run((name, partial((folder / name).read_bytes)) for name in images):
        content = Image.open(io.BytesIO((folder / str(name)).read_bytes())).convert("RGB")
        middle = np.array([content.width, content.height]) / 2
        if outcome.faces:
            boxes = [np.array(face.box) for face in outcome.faces]
            box = min(boxes, key=lambda box: float(np.abs((box[:2] + box[2:]) / 2 - middle).sum()))
            crops[str(name)] = embedder_of_crops.crop(content, Detection(box, np.zeros((5, 2)), 1.0))
    return crops


def measured_ranges(tensors: dict[str, torch.Tensor], crops: list[Array]) -> Ranges:
    """The smallest input of each convolution, and its largest in a batch, on average of the batches.

    The average, as the one largest value of all would make every step wider for the sake of one pixel.
    """
    network = model.untrained_network()
    weights.put(network, tensors)
    network.eval()
    seen: dict[str, list[tuple[float, float]]] = {}

    def note(name: str, _: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        seen.setdefault(name, []).append((float(inputs[0].min()), float(inputs[0].max())))

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_pre_hook(partial(note, name))
    with torch.inference_mode():
        for start in range(0, len(crops), BATCH):
            pixels = torch.from_numpy(np.stack(crops[start : start + BATCH]))
            network((pixels.permute(0, 3, 1, 2).float() - 127.5) / 128)
    return {name: (min(low for low, _ in of), float(np.mean([high for _, high in of]))) for name, of in seen.items()}


def write(ranges: Ranges) -> None:
    lines = [f'  "{name}": [{low:.5g}, {high:.5g}]' for name, (low, high) in ranges.items()]
    RANGES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    json.loads(RANGES.read_text(encoding="utf-8"))


def embed(made: Embedder, crops: list[Array], threads: int) -> Array:
    """Unit vectors of all crops, a batch a thread."""
    batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(made.embed, batches)))


def scores(pairs: list[Pair], vectors: dict[str, Array]) -> tuple[Array, Array]:
    """Similarities of the pairs whose faces were both found, and whether they are mated."""
    both = [pair for pair in pairs if pair.left in vectors and pair.right in vectors]
    left, right = (np.stack([vectors[getattr(pair, side)] for pair in both]) for side in ("left", "right"))
    return similarity(left, right), np.array([pair.mated for pair in both])


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=5, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads each candidate computes on.")
@click.option("--write-ranges", is_flag=True, help="Measure the ranges anew: galleries must then be enrolled again.")
def main(data: Path, rounds: int, threads: int, write_ranges: bool) -> None:
    fastest = fastest_precision("cpu")
    files = (("facenet-vggface2", str(facenet(data))), ("facenet-vggface2-int8", str(facenet(data))))
    tensors = weights.load("facenet-vggface2", str(facenet(data)))
    spec = VisionSpec(threads=threads, precision=fastest, batch_size=BATCH, weights=files)
    lfw = {part: read_pairs(data / "lfw-dev" / f"pairsDev{part}.txt") for part in ("Train", "Test")}
    images = {part: sorted({name for pair in pairs for name in (pair.left, pair.right)}) for part, pairs in lfw.items()}
    crops = crops_of(data, spec, sorted({name for names in images.values() for name in names}))
    if write_ranges:
        some = [crops[name] for name in images["Train"] if name in crops]
        some = some[:: len(some) // (BATCH * CALIBRATION_BATCHES)][: BATCH * CALIBRATION_BATCHES]
        write(measured_ranges(tensors, some))
        print(f"ranges of {len(some)} training faces written to {RANGES}")

    specs = {
        "fp32": VisionSpec(threads=threads, batch_size=BATCH),
        fastest: spec,
        "int8": VisionSpec(threads=threads, batch_size=BATCH, precision=fastest, embedder="facenet-vggface2-int8"),
    }
    made = {name: embedder(of.embedder)(of, tensors) for name, of in specs.items()}
    timed = list(crops.values())[: BATCH * TIMED_BATCHES]
    timings = alternate({name: partial(embed, of, timed, threads) for name, of in made.items()}, rounds)

    figures: dict[str, object] = {"faces": len(timed), "threads": threads, "rounds": rounds}
    exact = embed(made["fp32"], list(crops.values()), threads)
    print(f"\n{'':6} {'faces/s':>8} {'test accuracy':>14} {'at the train threshold':>23} {'cosine to fp32':>15}")
    for name, of in made.items():
        vectors = embed(of, list(crops.values()), threads)
        by_image = dict(zip(crops, vectors, strict=True))
        train, threshold = best_accuracy(*scores(lfw["Train"], by_image))
        similarities, mated = scores(lfw["Test"], by_image)
        test, at_train = best_accuracy(similarities, mated)[0], float(((similarities >= threshold) == mated).mean())
        cosine = float((vectors * exact).sum(1).mean())
        speed = len(timed) / timings[name].median
        print(f"{name:6} {speed:8.1f} {test:14.4f} {at_train:23.4f} {cosine:15.5f}")
        figures[name] = {
            "faces_per_second": round(speed, 1),
            "train_accuracy": round(train, 4),
            "train_threshold": round(threshold, 4),
            "test_accuracy": round(test, 4),
            "test_accuracy_at_train_threshold": round(at_train, 4),
            "mean_cosine_to_fp32": round(cosine, 5),
        }
    figures["ratio"] = round(timings[fastest].median / timings["int8"].median, 2)
    print(f"written to {save('int8', figures)}")
    print(f"int8: ratio={figures['ratio']} against {fastest} isa={isa()}")


if __name__ == "__main__":
    main()
