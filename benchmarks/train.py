"""What training gains on persons it has not seen.

python -m benchmarks.train --data FOLDER

LFW's development view; the persons are halved by a seed, one half is learnt from, the other one measured. Adapters: on
the embeddings of the old default, and on those of the default, five seeds. Another domain: a network is trained for
pictures of 18 x 18 grey pixels with noise, which are searched for among pictures as they are. With --losses, instead,
every loss on 24 persons, and DenseNet-121 from random weights. Persons of LFW are also in what the networks know
already.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import torch
from torch.nn import functional

from benchmarks import lfw
from benchmarks.data import data_option, facenet
from benchmarks.rounds import isa, save
from jobs.inputs.labelled import LabelledPhoto, in_half
from jobs.learning.adapter import learnt_adapter
from jobs.learning.compared import Seen, compare
from jobs.learning.divided import Photos
from jobs.learning.embedder import CHOOSING
from training.beside import finished
from training.fitting import fit
from training.folder import TrainingFolder
from training.imitation import all_worse
from training.networks import seen_by, untrained
from training.plans import LOSSES, SIAMESE, AdapterPlan, EmbedderPlan, Imitation
from udfs.vision import weights
from udfs.vision.embed import Crops, embedder_of
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec

Array = np.ndarray

OLD, FAST, DEFAULT = "facenet-vggface2", "mobilefacenet", VisionSpec().embedder
SEEDS, SIZE, FPIR = range(5), 400, 0.01
DOMAIN = Imitation(size=(18, 18), grey=1.0, noise=(8.0, 8.0))
_WORSE_SEED = 11
SMALL, SMALL_SIZE = 24, 100
"""Persons that every loss learns from, those with the most photos; and in the gallery that is measured."""


@dataclass(frozen=True)
class Lfw:
    """Faces of the development view, in the order of their names: who they show, what the networks make of them, and
    the crops of the fast one."""

    photos: Photos
    vectors: dict[str, Array]
    crops: Array

    @classmethod
    def of(cls, data: Path, threads: int) -> "Lfw":
        """Find and embed all faces."""
        spec = VisionSpec(threads=threads, batch_size=lfw.BATCH, weights=((OLD, str(facenet(data))),))
        folder = data / "lfw-dev" / "images"
        names = sorted(str(path.relative_to(folder)) for path in folder.glob("*/*.jpg"))
        faces = lfw.faces(data, replace(spec, embedder=FAST), names)
        vectors, crops = {}, np.empty(0)
        for name in (OLD, FAST, DEFAULT):
            mine = replace(spec, embedder=name)
            made = embedder_of(embedder(name), mine, partial(weights.source_of, mine))
            cut: list[Crops] = [made.crop(face.image, face.found) for face in faces.values()]
            vectors[name] = lfw.embed(made, cut, threads)
            if name == FAST:
                crops = np.stack([crop for (crop,) in cut])
        photos = [LabelledPhoto(name.partition("/")[0], name, {}) for name in faces]
        return cls(Photos(photos), vectors, crops)

    def half(self, half: str, seed: int) -> Array:
        """Which photos are of a half of the persons."""
        return np.array([in_half(photo.person, half, seed) for photo in self.photos.photos])  # type: ignore[arg-type]

    def drawn(self, share: float, seed: int) -> Array:
        """The photos of so many of the persons, drawn by a seed."""
        return (np.random.default_rng(seed).random(len(self.photos.persons)) < share)[self.photos.labels]


@dataclass(frozen=True)
class Gain:
    """Of one adapter."""

    seed: int
    before: float
    after: float
    better: bool
    worse: bool
    strength: float | None
    seconds: float


def adapted(faces: Lfw, name: str, seed: int) -> Gain:
    """An adapter learnt from the first half of the persons, measured on the second."""
    first, second = faces.half("first", seed), faces.half("second", seed)
    vectors = faces.vectors[name]
    began = time.monotonic()
    adapter, strength, _ = learnt_adapter(faces.photos.which(first), vectors[first], AdapterPlan(seed=seed), FPIR)
    seconds = time.monotonic() - began
    held_out, moved = vectors[second], adapter(vectors[second])
    found = compare(faces.photos.which(second), Seen(held_out, held_out), Seen(moved, moved), SIZE, FPIR, seed)
    return Gain(seed, found.before, found.after, found.better, found.worse, strength, round(seconds, 1))


def adapters(faces: Lfw, name: str) -> list[Gain]:
    """The same by all seeds, said."""
    gains = []
    for seed in SEEDS:
        gain = adapted(faces, name, seed)
        verdict = "better" if gain.better else "worse" if gain.worse else "not better beyond doubt: refused"
        print(
            f"adapter on {name}, seed {seed}: FNIR {gain.before:.4f} -> {gain.after:.4f} in {gain.seconds} s, {verdict}"
        )
        gains.append(gain)
    return gains


def won_back(gains: list[Gain]) -> float:
    """The share of the misses."""
    return 1 - sum(gain.after for gain in gains) / sum(gain.before for gain in gains)


def embedded(network: torch.nn.Module, name: str, crops: Array) -> Array:
    """Unit vectors."""
    sees, parts = seen_by(name), []
    network.eval()
    with torch.no_grad():
        for start in range(0, len(crops), 64):
            pixels = torch.from_numpy(np.array(crops[start : start + 64])).permute(0, 3, 1, 2).float()
            parts.append(functional.normalize(network((pixels - sees.shift) / sees.scale)).numpy())
    return np.concatenate(parts)


def filled(folder: TrainingFolder, plan: EmbedderPlan, faces: Lfw, learnt: Array, chosen: Array) -> None:
    """Put into a folder what a network is to learn from."""
    for part, which in (("learnt", learnt), ("chosen", chosen)):
        folder.write_array(part, faces.crops[which])
        folder.write_array(f"{part}_labels", faces.photos.which(which).labels)
    if plan.network == SIAMESE:
        torch.manual_seed(plan.seed)
        folder.write("start.pt", untrained(SIAMESE).state_dict())
    else:
        folder.write("start.pt", weights.load(plan.network))
        folder.write_array("parent", faces.vectors[plan.network][learnt])
    folder.write_plan(plan)


def trained(faces: Lfw, plan: EmbedderPlan, learnt: Array, chosen: Array) -> tuple[torch.nn.Module, float, list[float]]:
    """A network, the seconds it took, and the loss of each step."""
    with TemporaryDirectory() as where:
        folder = TrainingFolder(Path(where))
        filled(folder, plan, faces, learnt, chosen)
        began = time.monotonic()
        fit(folder, print)
        seconds = time.monotonic() - began
        network = finished(folder)
        losses: list[float] = json.loads((folder.path / "course.json").read_text("utf-8"))["losses"]
    return network, seconds, losses


def domain(faces: Lfw, passes: int) -> dict[str, float]:
    """A network trained for small, grey, noisy pictures."""
    first, second = faces.half("first", 0), faces.half("second", 0)
    aside = faces.drawn(CHOOSING, 0)
    plan = EmbedderPlan(FAST, imitation=DOMAIN, passes=passes, patience=passes)
    network, seconds, _ = trained(faces, plan, first & ~aside, first & aside)
    held_out, crops = faces.photos.which(second), faces.crops[second]
    before, after = faces.vectors[FAST][second], embedded(network, FAST, crops)
    start = untrained(FAST)
    start.load_state_dict(weights.load(FAST))
    worse = all_worse(crops, DOMAIN, _WORSE_SEED)
    seen = {
        "before": Seen(before, embedded(start, FAST, worse)),
        "after": Seen(after, embedded(network, FAST, worse)),
    }
    tar = {
        name: (each.curve(held_out).tar_at(1e-2), each.good.curve(held_out).tar_at(1e-3)) for name, each in seen.items()
    }
    found = {
        "domain_before": tar["before"][0],
        "domain_tar": tar["after"][0],
        "clean_before": tar["before"][1],
        "clean_tar": tar["after"][1],
        "seconds": seconds,
    }
    print(f"another domain: {found}")
    return found


def every_loss(faces: Lfw, passes: int) -> list[dict[str, object]]:
    """One table: each loss on the last layers of the fast network, by the photos of few persons; then others first, and
    a Siamese network from random weights."""
    second = faces.half("second", 0)
    first = faces.half("first", 0)
    counts = np.bincount(faces.photos.labels[first], minlength=len(faces.photos.persons))
    learnt = np.isin(faces.photos.labels, np.argsort(-counts, kind="stable")[:SMALL]) & first
    others = np.flatnonzero(first & ~learnt)
    chosen = np.zeros(len(first), bool)
    chosen[others[:400]] = True
    held_out, crops = faces.photos.which(second), faces.crops[second]
    before = faces.vectors[FAST][second]
    last = EmbedderPlan(FAST, part="last", last=3, passes=passes, batch=32, rate=3e-4, patience=passes)
    plans = {name: replace(last, loss=name) for name in LOSSES}
    plans["softmax, then trihard"] = replace(last, loss="trihard", first="softmax")
    plans["cosface, whole network"] = replace(last, part="whole", loss="cosface")
    plans["arcface, whole network"] = replace(last, part="whole", loss="arcface")
    plans["contrastive, DenseNet-121 from random weights"] = EmbedderPlan(
        SIAMESE, loss="contrastive", passes=3 * passes, batch=32, rate=3e-3, keep=0.0, average=0.9, patience=3 * passes
    )
    rows: list[dict[str, object]] = []
    for name, plan in plans.items():
        network, seconds, losses = trained(faces, plan, learnt, chosen)
        after = embedded(network, plan.network, crops)
        found = compare(held_out, Seen(before, before), Seen(after, after), SMALL_SIZE, FPIR, 0)
        curve = [round(float(np.mean(part)), 4) for part in np.array_split(np.array(losses), min(8, len(losses)))]
        row = {
            "loss": name,
            "fnir": round(found.after, 4),
            "fnir_before": round(found.before, 4),
            "seconds_a_pass": round(seconds / plan.passes, 1),
            "curve": curve,
        }
        print(row)
        rows.append(row)
    return rows


@click.command(help=__doc__)
@data_option
@click.option("--threads", default=2, show_default=True, help="Threads each embedder computes on.")
@click.option("--passes", default=10, show_default=True, help="Of the network that is trained for another domain.")
@click.option("--losses", is_flag=True, help="Compare all losses, instead.")
def main(data: Path, threads: int, passes: int, losses: bool) -> None:
    torch.set_num_threads(threads)
    faces = Lfw.of(data, threads)
    print(f"{len(faces.crops):,} faces of {len(faces.photos.persons):,} persons")
    if losses:
        print(f"written to {save('train-losses', {'persons': SMALL, 'losses': every_loss(faces, 4)})}")
        return
    gains = {name: adapters(faces, name) for name in (OLD, DEFAULT)}
    other = domain(faces, passes)
    figures = {
        "faces": len(faces.crops),
        "adapters": {name: [asdict(gain) for gain in of] for name, of in gains.items()},
        "adapter_gain": {name: round(won_back(of), 4) for name, of in gains.items()},
        "domain": {"passes": passes, **{name: round(value, 4) for name, value in other.items()}},
    }
    print(f"written to {save('train', figures)}")
    print(
        f"train: adapter_gain={won_back(gains[OLD]):.3f} domain_tar={other['domain_tar']:.3f}"
        f" domain_before={other['domain_before']:.3f} clean_tar={other['clean_tar']:.4f} isa={isa()}"
    )


if __name__ == "__main__":
    main()
