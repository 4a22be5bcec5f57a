"""An embedder in 8-bit integers against bf16 and float32: how fast, and what it costs in accuracy.

python -m benchmarks.int8 --data FOLDER [--model NAME] [--write-ranges]

The ranges it rounds to are measured on LFW's training pairs. Accuracy is measured on its test pairs, which show
other persons.
"""

import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks import lfw
from benchmarks.data import data_option, facenet
from benchmarks.lfw import BATCH
from benchmarks.rounds import alternate, isa, save
from udfs.vision import int8, weights
from udfs.vision.declaration import EmbedderModel
from udfs.vision.embed import Crops, cut, embedder_of
from udfs.vision.int8 import Ranges, ranges_of
from udfs.vision.models import NETWORKS, embedder
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import settled
from udfs.vision.tensors import Tensors, put

Array = np.ndarray

CALIBRATION_BATCHES, TIMED_BATCHES = 12, 20
MODELS = ("facenet-vggface2", "mobilefacenet")


def measured_ranges(model: EmbedderModel, tensors: Tensors, crops: list[Array]) -> Ranges:
    """The smallest and the largest input in a batch of each convolution, on average of the batches.

    The average, as the one largest value of all would make every step wider for the sake of one pixel.
    """
    network = put(pkgutil.resolve_name(model.network)(), tensors).eval()
    seen: dict[str, list[tuple[float, float]]] = {}

    def note(name: str, _: torch.nn.Module, inputs: tuple[torch.Tensor]) -> None:
        seen.setdefault(name, []).append((float(inputs[0].min()), float(inputs[0].max())))

    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d) and module.groups == 1:  # depthwise ones stay in floating point
            module.register_forward_pre_hook(partial(note, name))
    with torch.inference_mode():
        for start in range(0, len(crops), BATCH):
            pixels = torch.from_numpy(np.stack(crops[start : start + BATCH]))
            network((pixels.permute(0, 3, 1, 2).float() - model.shift) / model.scale)
    return {name: (float(np.mean(of, axis=0)[0]), float(np.mean(of, axis=0)[1])) for name, of in seen.items()}


def write(model: str, ranges: Ranges) -> None:
    lines = [f'  "{name}": [{low:.5g}, {high:.5g}]' for name, (low, high) in ranges.items()]
    path = Path(int8.__file__).with_name(f"{model}-int8.json")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    ranges_of(model)


@click.command(help=__doc__)
@data_option
@click.option("--model", "name", type=click.Choice(MODELS), default=MODELS[0], show_default=True)
@click.option("--rounds", default=5, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads each candidate computes on.")
@click.option("--write-ranges", is_flag=True, help="Measure the ranges anew: galleries must then be enrolled again.")
def main(data: Path, name: str, rounds: int, threads: int, write_ranges: bool) -> None:
    model = NETWORKS[name]
    files = tuple((of, str(facenet(data))) for of in ("facenet-vggface2", "facenet-vggface2-int8"))
    spec = VisionSpec(threads=threads, embedder=name, precision="fastest", batch_size=BATCH, weights=files)
    spec = settled(spec)
    parts = lfw.pairs(data)
    images = {part: {name for pair in of for name in (pair.left, pair.right)} for part, of in parts.items()}
    found = lfw.faces(data, spec, sorted(images["Train"] | images["Test"]))
    crops = {
        image: (cut(model.crop, model.crop.margin(spec), face.image, face.found),) for image, face in found.items()
    }
    if write_ranges:
        some = [crop for image, (crop,) in crops.items() if image in images["Train"]]
        some = some[:: len(some) // (BATCH * CALIBRATION_BATCHES)][: BATCH * CALIBRATION_BATCHES]
        write(name, measured_ranges(model, weights.load(name, dict(files).get(name)), some))
        print(f"ranges of {len(some)} training faces written")

    specs = {
        "fp32": replace(spec, precision="fp32"),
        "bf16": replace(spec, precision="bf16"),
        "int8": replace(spec, embedder=f"{name}-int8"),
    }
    specs = {precision: of for precision, of in specs.items() if of.precision in cpu_precisions()}
    made = {
        choice: embedder_of(embedder(of.embedder), of, partial(weights.source_of, of)) for choice, of in specs.items()
    }
    timed: Sequence[Crops] = list(crops.values())[: BATCH * TIMED_BATCHES]
    timings = alternate({choice: partial(lfw.embed, of, timed, threads) for choice, of in made.items()}, rounds)

    figures: dict[str, object] = {"model": name, "faces": len(timed), "threads": threads, "rounds": rounds}
    exact = lfw.embed(made["fp32"], list(crops.values()), threads)
    print(f"\n{'':6} {'faces/s':>8} {'test accuracy':>14} {'at the train threshold':>23} {'cosine to fp32':>15}")
    for choice, of in made.items():
        vectors = lfw.embed(of, list(crops.values()), threads)
        held = lfw.accuracy(parts, dict(zip(crops, vectors, strict=True)))
        cosine = float((vectors * exact).sum(1).mean())
        speed = len(timed) / timings[choice].median
        print(f"{choice:6} {speed:8.1f} {held.test:14.4f} {held.test_at_train_threshold:23.4f} {cosine:15.5f}")
        figures[choice] = {
            "faces_per_second": round(speed, 1),
            "test_accuracy": round(held.test, 4),
            "test_accuracy_at_train_threshold": round(held.test_at_train_threshold, 4),
            "mean_cosine_to_fp32": round(cosine, 5),
        }
    peer = min((choice for choice in made if choice != "int8"), key=lambda choice: timings[choice].median)
    figures["ratio"] = round(timings[peer].median / timings["int8"].median, 2)
    print(f"written to {save('int8' if name == MODELS[0] else f'int8-{name}', figures)}")
    print(f"int8: ratio={figures['ratio']} against {peer} of {name} isa={isa()}")


if __name__ == "__main__":
    main()
