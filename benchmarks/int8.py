"""FaceNet in 8-bit integers against bf16 and float32: how fast, and what it costs in accuracy.

python -m benchmarks.int8 --data FOLDER [--write-ranges]

The ranges it rounds to are measured on LFW's training pairs. Accuracy is measured on its test pairs, which show
other persons.
"""

import json
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
from udfs.vision.embed import cut, embedder_of
from udfs.vision.facenet_net import untrained
from udfs.vision.int8 import Ranges
from udfs.vision.models import embedder
from udfs.vision.runtime import fastest_precision
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import Tensors, put

Array = np.ndarray

CALIBRATION_BATCHES, TIMED_BATCHES = 12, 20
RANGES = Path(int8.__file__).with_name("facenet-vggface2-int8.json")


def measured_ranges(tensors: Tensors, crops: list[Array]) -> Ranges:
    """The smallest input of each convolution, and its largest in a batch, on average of the batches.

    The average, as the one largest value of all would make every step wider for the sake of one pixel.
    """
    network = untrained()
    put(network, tensors)
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


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=5, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads each candidate computes on.")
@click.option("--write-ranges", is_flag=True, help="Measure the ranges anew: galleries must then be enrolled again.")
def main(data: Path, rounds: int, threads: int, write_ranges: bool) -> None:
    fastest = fastest_precision("cpu")
    files = (("facenet-vggface2", str(facenet(data))), ("facenet-vggface2-int8", str(facenet(data))))
    spec = VisionSpec(threads=threads, precision=fastest, batch_size=BATCH, weights=files)
    parts = lfw.pairs(data)
    images = {part: {name for pair in of for name in (pair.left, pair.right)} for part, of in parts.items()}
    found = lfw.faces(data, spec, sorted(images["Train"] | images["Test"]))
    rule = embedder(spec.embedder).networks[0].crop
    crops = {name: (cut(rule, rule.margin(spec), face.image, face.found),) for name, face in found.items()}
    if write_ranges:
        some = [crop for name, (crop,) in crops.items() if name in images["Train"]]
        some = some[:: len(some) // (BATCH * CALIBRATION_BATCHES)][: BATCH * CALIBRATION_BATCHES]
        write(measured_ranges(weights.load("facenet-vggface2", str(facenet(data))), some))
        print(f"ranges of {len(some)} training faces written to {RANGES}")

    specs = {
        "fp32": VisionSpec(threads=threads, batch_size=BATCH),
        fastest: spec,
        "int8": VisionSpec(threads=threads, batch_size=BATCH, precision=fastest, embedder="facenet-vggface2-int8"),
    }
    made = {
        name: embedder_of(embedder(of.embedder), of, lambda model: weights.source(model, str(facenet(data))))
        for name, of in specs.items()
    }
    timed = list(crops.values())[: BATCH * TIMED_BATCHES]
    timings = alternate({name: partial(lfw.embed, of, timed, threads) for name, of in made.items()}, rounds)

    figures: dict[str, object] = {"faces": len(timed), "threads": threads, "rounds": rounds}
    exact = lfw.embed(made["fp32"], list(crops.values()), threads)
    print(f"\n{'':6} {'faces/s':>8} {'test accuracy':>14} {'at the train threshold':>23} {'cosine to fp32':>15}")
    for name, of in made.items():
        vectors = lfw.embed(of, list(crops.values()), threads)
        held = lfw.accuracy(parts, dict(zip(crops, vectors, strict=True)))
        cosine = float((vectors * exact).sum(1).mean())
        speed = len(timed) / timings[name].median
        print(f"{name:6} {speed:8.1f} {held.test:14.4f} {held.test_at_train_threshold:23.4f} {cosine:15.5f}")
        figures[name] = {
            "faces_per_second": round(speed, 1),
            "test_accuracy": round(held.test, 4),
            "test_accuracy_at_train_threshold": round(held.test_at_train_threshold, 4),
            "mean_cosine_to_fp32": round(cosine, 5),
        }
    figures["ratio"] = round(timings[fastest].median / timings["int8"].median, 2)
    print(f"written to {save('int8', figures)}")
    print(f"int8: ratio={figures['ratio']} against {fastest} isa={isa()}")


if __name__ == "__main__":
    main()
