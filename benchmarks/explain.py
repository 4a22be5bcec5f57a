"""Whether maps of what the network looks at say more than chance, on pairs of faces of one person.

python -m benchmarks.explain --data FOLDER [--pairs 200]

Mated pairs of LFW's development view. Of each pair and map: by how much the area under the deletion curve is smaller
than in random order (positive: the map says where the similarity comes from), with a 95% interval over pairs; and in
how many pairs it is beyond chance.
"""

import time
from functools import partial
from pathlib import Path

import click
import numpy as np

from benchmarks import lfw
from benchmarks.data import data_option, facenet
from benchmarks.rounds import isa, save
from evaluation.saliency import Faithfulness, faithfulness, occlusion, perturbation
from udfs.vision import weights
from udfs.vision.covering import CELLS, CoveredFace
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec

Array = np.ndarray


def interval(values: list[float]) -> tuple[float, float, float]:
    """Mean, and its 95% interval."""
    mean, half = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return round(mean, 4), round(mean - half, 4), round(mean + half, 4)


@click.command(help=__doc__)
@data_option
@click.option("--pairs", "count", default=200, show_default=True)
@click.option("--embedder", "name", default="mobilefacenet", show_default=True)
def main(data: Path, count: int, name: str) -> None:
    spec = VisionSpec(threads=2, embedder=name, weights=(("facenet-vggface2", str(facenet(data))),))
    mated = [pair for part in lfw.pairs(data).values() for pair in part if pair.mated]
    chosen = mated[:: max(1, len(mated) // count)][:count]
    faces = lfw.faces(data, spec, sorted({side for pair in chosen for side in (pair.left, pair.right)}))
    made = embedder_of(embedder(name), spec, partial(weights.source_of, spec))
    found: dict[str, list[Faithfulness]] = {"occlusion": [], "perturbation": []}
    seconds = 0.0
    for pair in chosen:
        if pair.left not in faces or pair.right not in faces:
            continue
        left, right = faces[pair.left], faces[pair.right]
        other = made.embed([made.crop(right.image, right.found)])[0]
        covered = CoveredFace.of(made, left.image, left.found, other)
        for kind, draw in (("occlusion", occlusion), ("perturbation", perturbation)):
            began = time.perf_counter()
            found[kind].append(faithfulness(draw(covered, CELLS), covered))
            seconds += time.perf_counter() - began
    figures: dict[str, object] = {"embedder": name, "seconds_a_pair": round(seconds / len(found["occlusion"]), 2)}
    for kind, measured_all in found.items():
        inserted = [of.insertion.area - of.insertion.random_area for of in measured_all]
        figures[kind] = {
            "pairs": len(measured_all),
            "deletion_gain": interval([of.gain for of in measured_all]),
            "insertion_gain": interval(inserted),
            "beyond_chance": round(float(np.mean([of.explains for of in measured_all])), 3),
        }
        print(kind, figures[kind])
    print(f"written to {save('explain', figures)}")
    gains = {kind: figures[kind]["deletion_gain"] for kind in found}  # type: ignore[index]
    print(f"explain: occlusion={gains['occlusion']} perturbation={gains['perturbation']} isa={isa()}")


if __name__ == "__main__":
    main()
