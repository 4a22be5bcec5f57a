"""Faces of LFW's development view, and how well embeddings tell mated pairs from non-mated ones."""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from evaluation.identification import Trials
from evaluation.lfw_pairs import Pair, read_pairs
from evaluation.verification import Comparisons, Curve
from udfs.search.similarity import similarity
from udfs.vision.detect import Detection
from udfs.vision.embed import Crops, Embedder
from udfs.vision.models import EMBEDDERS
from udfs.vision.pipeline import FacePipeline
from udfs.vision.spec import VisionSpec

Array = np.ndarray

BATCH = 16


@dataclass(frozen=True)
class CentralFace:
    """The face nearest the middle of an image."""

    image: Image.Image
    found: Detection

    def at(self, pixels: float) -> "CentralFace":
        """The same face from farther away: `pixels` on its shorter side."""
        share = pixels / self.found.side
        size = (max(1, round(self.image.width * share)), max(1, round(self.image.height * share)))
        small = self.image.resize(size, Image.Resampling.LANCZOS)
        return CentralFace(small, self.found.scaled(size[0] / self.image.width, size[1] / self.image.height))


@dataclass(frozen=True)
class Accuracy:
    """Shares of right decisions: at each part's best threshold, and on the test pairs at the training pairs' best."""

    train: float
    test: float
    test_at_train_threshold: float
    threshold: float
    test_pairs: int


def pairs(data: Path) -> dict[str, list[Pair]]:
    """The development view: training pairs, and test pairs of other persons."""
    files = {part: data / "lfw-dev" / f"pairsDev{part}.txt" for part in ("Train", "Test")}
    return {part: read_pairs(path.read_text(encoding="utf-8"), str(path)) for part, path in files.items()}


def faces(data: Path, spec: VisionSpec, images: list[str]) -> dict[str, CentralFace]:
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
            nearest[str(name)] = CentralFace(image, Detection(np.array(face.box), np.array(face.landmarks), face.score))
    return nearest


def embed(made: Embedder, crops: Sequence[Crops], threads: int) -> Array:
    """Unit vectors of all crops, a batch a thread."""
    batches = [crops[start : start + BATCH] for start in range(0, len(crops), BATCH)]
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(made.embed, batches)))


def accuracy(parts: dict[str, list[Pair]], vectors: dict[str, Array]) -> Accuracy:
    """Decide pairs by a threshold; a pair in which a face was not found is refused."""
    curves = {part: Curve.of(comparisons(of, vectors)) for part, of in parts.items()}
    train, test = curves["Train"], curves["Test"]
    threshold = train.best_threshold
    return Accuracy(
        train.confusion(threshold).accuracy,
        test.confusion(test.best_threshold).accuracy,
        test.confusion(threshold).accuracy,
        threshold,
        len(parts["Test"]),
    )


def all_pairs(vectors: dict[str, Array]) -> Curve:
    """The errors over all pairs of the images in which a face was found."""
    persons = _persons(vectors)
    stacked = np.stack(list(vectors.values()))
    left, right = np.triu_indices(len(stacked), 1)
    return Curve.of(Comparisons((stacked @ stacked.T)[left, right].astype(np.float64), persons[left] == persons[right]))


def searches(vectors: dict[str, Array], embedder: str) -> Trials:
    """Each image searched for in galleries of the first image of each person, by the vectors of a packaged embedder."""
    decided = EMBEDDERS[embedder].thresholds
    assert decided is not None  # as all packaged ones have
    floor = 0.75 * decided.review  # far below the similarity of FPIR 1e-2; a lower one would only keep more pairs
    persons = _persons(vectors)
    enrolled = np.zeros(len(persons), bool)
    enrolled[np.unique(persons, return_index=True)[1]] = True
    return Trials.between(np.stack(list(vectors.values())), persons, enrolled, floor)


def _persons(vectors: dict[str, Array]) -> Array:
    return np.unique([name.partition("/")[0] for name in vectors], return_inverse=True)[1]


def comparisons(of: list[Pair], vectors: dict[str, Array]) -> Comparisons:
    """Pairs by the vectors of their images; those without a face on both sides are accepted at no threshold."""
    both = np.array([pair.left in vectors and pair.right in vectors for pair in of])
    found = [pair for pair, there in zip(of, both, strict=True) if there]
    scores = np.full(len(of), -np.inf)
    scores[both] = similarity(
        *(np.stack([vectors[getattr(pair, side)] for pair in found]) for side in ("left", "right"))
    )
    return Comparisons(scores, np.array([pair.mated for pair in of]))
