"""Faces of LFW's development view, and how well embeddings tell mated pairs from non-mated ones."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.pairs import Pair, best_accuracy, read_pairs
from udfs.search.similarity import similarity
from udfs.vision.detect import Detection
from udfs.vision.embed import Embedder
from udfs.vision.pipeline import FacePipeline
from udfs.vision.spec import VisionSpec

Array = np.ndarray

BATCH = 16


@dataclass(frozen=True)
class Face:
    """The face nearest the middle of an image."""

    image: Image.Image
    found: Detection

    def at(self, pixels: float) -> "Face":
        """The same face from farther away: `pixels` on its shorter side."""
        share = pixels / self.found.side
        size = (max(1, round(self.image.width * share)), max(1, round(self.image.height * share)))
        small = self.image.resize(size, Image.Resampling.LANCZOS)
        return Face(small, self.found.scaled(size[0] / self.image.width, size[1] / self.image.height))


@dataclass(frozen=True)
class Accuracy:
    """Shares of pairs told right: at each part's best threshold, and on the test pairs at the training pairs' best."""

    train: float
    test: float
    test_at_train_threshold: float
    threshold: float
    test_pairs: int


def pairs(data: Path) -> dict[str, list[Pair]]:
    """The development view: training pairs, and test pairs of other persons."""
    return {part: read_pairs(data / "lfw-dev" / f"pairsDev{part}.txt") for part in ("Train", "Test")}


def faces(data: Path, spec: VisionSpec, images: list[str]) -> dict[str, Face]:
    """The face nearest the middle of each image in which one was found, by `NAME/NAME_0001.jpg`."""
    folder = data / "lfw-dev" / "images"
    nearest = {}
    for name, outcome in FacePipeline(spec).run((name, partial((folder / name).read_bytes)) for name in images):
        image = Image.open(io.BytesIO((folder / str(name)).read_bytes())).convert("RGB")
        middle = np.array([image.width, image.height]) / 2
        if outcome.faces:
            boxes = [np.array(face.box) for face in outcome.faces]
            off = [float(np.abs((box[:2] + box[2:]) / 2 - middle).sum()) for box in boxes]
            face = outcome.faces[int(np.argmin(off))]
            nearest[str(name)] = Face(image, Detection(np.array(face.box), np.array(face.landmarks), face.score))
    return nearest


def embed(made: Embedder, crops: list[Array], threads: int) -> Array:
    """Unit vectors of all crops, a batch a thread."""
    batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(made.embed, batches)))


def accuracy(parts: dict[str, list[Pair]], vectors: dict[str, Array]) -> Accuracy:
    """Hold the pairs whose faces were both found against a threshold."""
    scores = {part: _scores(of, vectors) for part, of in parts.items()}
    train, threshold = best_accuracy(*scores["Train"])
    similarities, mated = scores["Test"]
    at_train = float(((similarities >= threshold) == mated).mean())
    return Accuracy(train, best_accuracy(similarities, mated)[0], at_train, threshold, len(mated))


def fnmr_at(vectors: dict[str, Array], rates: tuple[float, ...]) -> dict[float, tuple[float, float]]:
    """Of all pairs of the images: the threshold at which a share of non-mated pairs is taken for one person, and
    the share of mated pairs that is missed there."""
    persons = np.array([name.partition("/")[0] for name in vectors])
    stacked = np.stack(list(vectors.values()))
    left, right = np.triu_indices(len(stacked), 1)
    similarities, mated = (stacked @ stacked.T)[left, right], persons[left] == persons[right]
    thresholds = {rate: float(np.quantile(similarities[~mated], 1 - rate)) for rate in rates}
    return {rate: (at, float((similarities[mated] < at).mean())) for rate, at in thresholds.items()}


def _scores(of: list[Pair], vectors: dict[str, Array]) -> tuple[Array, Array]:
    both = [pair for pair in of if pair.left in vectors and pair.right in vectors]
    left, right = (np.stack([vectors[getattr(pair, side)] for pair in both]) for side in ("left", "right"))
    return similarity(left, right), np.array([pair.mated for pair in both])
