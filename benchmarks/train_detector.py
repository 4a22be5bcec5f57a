"""What training gains CenterFace on photos it has not seen.

python -m benchmarks.train_detector --data FOLDER

151 photos of crowds (WIDER FACE, parades and couples), halved by a seed: one half is learnt from, the other one is
measured, before and after, as `rollcall train detector` does it. CenterFace was trained on WIDER FACE already: there is
little to be won. The first seed is trained once more without holding the landmarks in their places.
"""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import torch

from benchmarks.data import data_option, wider
from benchmarks.rounds import isa, save
from evaluation.detection import detection_change
from jobs.learning.detected import detected
from jobs.learning.photos_divided import DividedPhotos, divide_photos
from training.detecting import fit_detector
from training.folder import TrainingFolder
from training.plans import DetectorPlan
from udfs import lake
from udfs.vision import weights
from udfs.vision.centerface import CenterFace
from udfs.vision.detect import Detector, detector_class
from udfs.vision.marked import MarkedPhoto, documents
from udfs.vision.models import detector
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import Tensors, WeightsSource

PARENT = VisionSpec().detector
FIRST = 2
"""The first seed: defaults were chosen by the halves of 0 and 1."""


@dataclass(frozen=True)
class Gain:
    """Of one training. recall: of the faces of 40 pixels and more in the other half; false: boxes of no face there, all
    together. landmarks: how far they are from the parent's, in shares of a face's side."""

    seed: int
    photos: int
    faces: int
    recall_before: float
    recall: float
    difference: tuple[float, float]
    false_before: int
    false: int
    better: bool
    worse: bool
    landmarks: float | None
    seconds: float


def trained(divided: DividedPhotos, plan: DetectorPlan, start: Tensors) -> Tensors:
    """The weights that are learnt."""
    with TemporaryDirectory() as where:
        folder = TrainingFolder(Path(where))
        folder.write_plan(plan)
        folder.write_document("learnt", documents(divided.learnt))
        folder.write_document("chosen", documents(divided.chosen))
        folder.write("start.pt", start)
        fit_detector(folder, lambda said: print(f"  {said}", flush=True))
        return folder.read("trained.pt")


def gain(photos: list[MarkedPhoto], plan: DetectorPlan, spec: VisionSpec) -> Gain:
    """Train on one half, measure on the other."""
    divided, start = divide_photos(photos, plan.seed), weights.source(PARENT)
    began = time.monotonic()
    tensors = trained(divided, plan, start.read())
    seconds = time.monotonic() - began

    def made(source: WeightsSource) -> Detector:
        return detector_class(detector(PARENT))(spec, source)

    before, after = made(start), made(WeightsSource(None, lambda: tensors))
    seen = detected(before, after, divided.held_out, spec)
    found = detection_change(seen.before, seen.after, spec.minimum_face, plan.seed)
    result = Gain(
        plan.seed,
        found.photos,
        found.faces,
        round(float(1 - found.before), 4),
        round(float(1 - found.after), 4),
        (round(-found.difference.high, 4), round(-found.difference.low, 4)),
        sum(each.false for each in seen.before),
        sum(each.false for each in seen.after),
        found.better,
        found.worse,
        seen.landmarks,
        round(seconds, 1),
    )
    print(f"{plan.part}, landmarks {plan.landmarks:g}: {result}", flush=True)
    return result


@click.command(help=__doc__)
@data_option
@click.option("--threads", default=2, show_default=True, help="Threads to compute on.")
@click.option("--seeds", default=3, show_default=True, help="Halves that are drawn.")
@click.option("--passes", default=DetectorPlan().passes, show_default=True, help="Of each training.")
def main(data: Path, threads: int, seeds: int, passes: int) -> None:
    torch.set_num_threads(threads)
    spec = VisionSpec(threads=threads)
    folder = data / "wider-dev" / "images"
    photos = [
        MarkedPhoto(photo.name, lake.uri_of(str(folder / photo.name)), np.asarray(photo.boxes)) for photo in wider(data)
    ]
    scale = CenterFace.scale_for(spec.minimum_face)
    gains = [gain(photos, DetectorPlan(scale, passes=passes, seed=seed), spec) for seed in range(FIRST, FIRST + seeds)]
    free = gain(photos, DetectorPlan(scale, passes=passes, landmarks=0.0, seed=FIRST), spec)
    total = sum(each.faces for each in gains)
    recall_before, recall = (
        sum(getattr(each, of) * each.faces for each in gains) / total for of in ("recall_before", "recall")
    )
    false_before, false = sum(each.false_before for each in gains), sum(each.false for each in gains)
    figures = {
        "passes": passes,
        "trainings": [asdict(each) for each in gains],
        "landmarks_not_held": asdict(free),
        "recall_before": round(recall_before, 4),
        "recall": round(recall, 4),
        "false_before": false_before,
        "false": false,
    }
    print(f"written to {save('train-detector', figures)}")
    print(
        f"train_detector: recall_before={recall_before:.4f} recall={recall:.4f} false_before={false_before}"
        f" false={false} worse={sum(each.worse for each in gains)} of {seeds} landmarks={gains[0].landmarks:.4f}"
        f" landmarks_not_held={free.landmarks:.4f} isa={isa()}"
    )


if __name__ == "__main__":
    main()
