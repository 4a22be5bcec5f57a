"""What each choice of detector, margin, precision and averaging does to accuracy, and how small a face may be.

python -m benchmarks.accuracy --data FOLDER

LFW's development view. Choices are made on the training pairs; the test pairs show other persons. TAR over all pairs
of its images; FNIR at FPIR 1e-2 over all galleries of 1,000 of its persons with one photo each. No timing.
"""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np

from benchmarks import lfw
from benchmarks.data import data_option, facenet
from benchmarks.rounds import save
from evaluation.identification import Trials
from evaluation.lfw_pairs import Pair
from udfs.search.cohort import cohort_similarity
from udfs.vision import weights
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource

Array = np.ndarray

MARGINS = {"centerface": (0, 14, 20, 26, 32), "mtcnn": (0, 14, 26)}
SIZES = (None, 64, 50, 40, 32, 24, 16)
RATES = (1e-3, 1e-4)
PERSONS = 1000
"""In the gallery of the searches."""


@dataclass(frozen=True)
class ChoiceErrors:
    """One choice, and the errors it makes."""

    choice: str
    faces: int
    train: float
    test: float
    test_at_train_threshold: float
    tar_at_far_1e3: float
    tar_at_far_1e4: float
    fnir_at_fpir_1e2: float

    def line(self) -> str:
        return (
            f"{self.choice:58} {self.faces:5} {self.train:7.4f} {self.test:7.4f} {self.test_at_train_threshold:8.4f}"
            f" {self.tar_at_far_1e3:9.4f} {self.tar_at_far_1e4:9.4f} {self.fnir_at_fpir_1e2:9.4f}"
        )


class Study:
    """Embeds the faces of LFW in one way after another."""

    def __init__(self, data: Path, threads: int) -> None:
        self.weights = {"facenet-vggface2": facenet(data), "facenet-vggface2-int8": facenet(data)}
        self.parts = lfw.pairs(data)
        self.threads = threads
        self.data = data
        self.found: dict[tuple[str, str], dict[str, lfw.CentralFace]] = {}

    def source(self, name: str) -> WeightsSource:
        path = self.weights.get(name)
        return weights.source(name, None if path is None else str(path))

    def vectors(self, spec: VisionSpec, faces: dict[str, lfw.CentralFace]) -> dict[str, Array]:
        made = embedder_of(embedder(spec.embedder), spec, self.source)
        crops = [made.crop(face.image, face.found) for face in faces.values()]
        return dict(zip(faces, lfw.embed(made, crops, self.threads), strict=True))

    def faces(self, spec: VisionSpec) -> dict[str, lfw.CentralFace]:
        key = (spec.detector, spec.precision)
        if key not in self.found:
            names = {name for pairs in self.parts.values() for pair in pairs for name in _names(pair)}
            plain = replace(spec, weights=tuple((name, str(path)) for name, path in self.weights.items()))
            self.found[key] = lfw.faces(self.data, plain, sorted(names))
        return self.found[key]

    def row(self, choice: str, spec: VisionSpec) -> ChoiceErrors:
        faces = self.faces(replace(spec, embedder="facenet-vggface2", margin=None, flip=False))
        vectors = self.vectors(spec, faces)
        held, every = lfw.accuracy(self.parts, vectors), lfw.all_pairs(vectors)
        searched = lfw.searches(vectors, spec.embedder)
        missed = searched.fnir(PERSONS, searched.threshold_at(PERSONS, 1e-2))
        accepted = [every.tar_at(rate) for rate in RATES]
        rounded = (held.train, held.test, held.test_at_train_threshold, *accepted, missed)
        return ChoiceErrors(choice, len(faces), *(round(value, 4) for value in rounded))


def _names(pair: Pair) -> tuple[str, str]:
    return pair.left, pair.right


def by_size(study: Study, spec: VisionSpec) -> list[dict[str, float]]:
    """Faces made smaller, against all faces as they are: errors at the threshold of FMR 1e-4 between those."""
    faces = study.faces(spec)
    gallery = study.vectors(spec, faces)
    threshold = lfw.all_pairs(gallery).threshold_at(1e-4)
    persons = np.array([name.partition("/")[0] for name in faces])
    different = persons[:, None] != persons
    same = ~different & ~np.eye(len(persons), dtype=bool)
    rows = []
    for size in SIZES:
        probes = gallery if size is None else study.vectors(spec, {name: face.at(size) for name, face in faces.items()})
        similarities = np.stack(list(probes.values())) @ np.stack(list(gallery.values())).T
        side = float(np.median([face.found.side for face in faces.values()])) if size is None else float(size)
        missed, taken = (similarities[same] < threshold).mean(), (similarities[different] >= threshold).mean()
        rows.append({"pixels": round(side), "fnmr": round(float(missed), 4), "fmr": float(f"{taken:.2g}")})
    return rows


def templates(study: Study, spec: VisionSpec) -> list[dict[str, object]]:
    """What a second photo a person and a cohort do: FNIR at FPIR 1e-1 and 1e-2, 500 persons.

    Of the persons of one half, drawn at random; the other half's first photos are the cohort. Twice, so that what one
    half shows can be compared with the other.
    """
    vectors = study.vectors(spec, study.faces(spec))
    stacked = np.stack(list(vectors.values()))
    persons = np.unique([name.partition("/")[0] for name in vectors], return_inverse=True)[1]
    nth = np.arange(len(persons)) - np.searchsorted(persons, persons)  # photos come in the order of persons
    first = np.random.default_rng(0).permutation(persons.max() + 1) < persons.max() // 2
    rows = []
    for half, mine in (("first", first[persons]), ("second", ~first[persons])):
        cohort = stacked[~mine & (nth == 0)]
        rows += [
            {"half": half, "choice": choice, **rates}
            for choice, rates in _of_half(stacked[mine], persons[mine], nth[mine], cohort).items()
        ]
    return rows


def _of_half(vectors: Array, persons: Array, nth: Array, cohort: Array) -> dict[str, dict[str, float]]:
    one, two = vectors[nth == 0], vectors[nth == 1]
    number = np.unique(persons, return_inverse=True)[1]
    has_two = np.isin(persons[nth == 0], persons[nth == 1])
    both = one.copy()
    both[has_two] = two
    mean = one + both
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    late = vectors[nth >= 2]
    strangers = cohort_similarity(late, cohort)[:, None]
    scores = {
        "first photo": late @ one.T,
        "two photos, the nearer": np.maximum(late @ one.T, late @ both.T),
        "two photos, their mean": late @ mean.T,
        "first photo, less cohort": late @ one.T - strangers,
        "two photos, the nearer, less cohort": np.maximum(late @ one.T, late @ both.T) - strangers,
        "first photo, both sides normalised": _normalised(late, one, cohort),
        "two photos, their mean, both sides": _normalised(late, mean, cohort),
    }
    found = {}
    for choice, of_choice in scores.items():
        trials = Trials.of_scores(of_choice.astype(np.float64), number[nth >= 2])
        found[choice] = {
            f"fnir_at_fpir_{rate:g}": round(trials.fnir(500, trials.threshold_at(500, rate)), 4)
            for rate in (1e-1, 1e-2)
        }
    return found


def _normalised(probes: Array, templates: Array, cohort: Array, nearest: int = 100) -> Array:
    """Adaptive symmetric normalisation (Matejka et al. 2017): by mean and spread of each side's nearest of a cohort."""

    def standard(vectors: Array) -> tuple[Array, Array]:
        near = np.sort(vectors @ cohort.T, axis=1)[:, -nearest:]
        return near.mean(1), near.std(1)

    (mean, spread), (other_mean, other_spread) = standard(probes), standard(templates)
    scores = probes @ templates.T
    return ((scores - mean[:, None]) / spread[:, None] + (scores - other_mean) / other_spread) / 2


@click.command(help=__doc__)
@data_option
@click.option("--threads", default=2, show_default=True, help="Threads to compute on; results do not depend on it.")
def main(data: Path, threads: int) -> None:
    study = Study(data, threads)
    fastest = cpu_precisions()[-1]
    base = VisionSpec(threads=threads, precision=fastest, detector="centerface", embedder="facenet-vggface2")
    default = VisionSpec(threads=threads, precision=fastest)
    choices = {
        f"{detector}, facenet-vggface2 {fastest}, margin {margin}": replace(base, detector=detector, margin=margin)
        for detector, margins in MARGINS.items()
        for margin in margins
    }
    choices |= {
        "centerface, facenet-vggface2 fp32": replace(base, precision="fp32"),
        f"centerface, facenet-vggface2-int8 {fastest}": replace(base, embedder="facenet-vggface2-int8"),
        f"centerface, facenet-vggface2 {fastest}, flip": replace(base, flip=True),
        "mtcnn, facenet-vggface2 fp32": replace(base, detector="mtcnn", precision="fp32"),
        f"centerface, dlib-resnet-v1 {fastest}": replace(base, embedder="dlib-resnet-v1"),
        "centerface, mobilefacenet fp32": replace(base, embedder="mobilefacenet", precision="fp32"),
        f"centerface, mobilefacenet {fastest}": replace(base, embedder="mobilefacenet"),
        "centerface, mobilefacenet fp32, flip": replace(base, embedder="mobilefacenet", precision="fp32", flip=True),
        f"centerface, mobilefacenet-int8 {fastest}": replace(base, embedder="mobilefacenet-int8"),
        f"{default.detector}, {default.embedder} {fastest}": default,
        f"{default.detector}, {default.embedder} {fastest}, flip": replace(default, flip=True),
    }
    print(f"{'':58} faces   train    test at train far=1e-3  far=1e-4 fpir=1e-2")
    rows = []
    for choice, spec in choices.items():
        rows.append(study.row(choice, spec))
        print(rows[-1].line(), flush=True)
    print(f"\n{'pixels':>6} {'fnmr':>7} {'fmr':>8}")
    sizes = by_size(study, default)
    for size in sizes:
        print(f"{size['pixels']:6} {size['fnmr']:7.4f} {size['fmr']:8.1e}")
    print(f"\n{'half':6} {'choice':36} fpir=1e-1 fpir=1e-2")
    of_templates = templates(study, default)
    for half in of_templates:
        print(f"{half['half']:6} {half['choice']:36} {half['fnir_at_fpir_0.1']:9} {half['fnir_at_fpir_0.01']:9}")
    figures: dict[str, object] = {
        "choices": [asdict(row) for row in rows],
        "sizes": sizes,
        "templates": of_templates,
    }
    print(f"written to {save('accuracy', figures)}")
    print()
    for row in rows:
        print(
            f"accuracy: {row.choice}: lfw_dev={row.test_at_train_threshold} tar_at_far_1e-3="
            f"{row.tar_at_far_1e3:.4f} fnir_at_fpir_1e-2={row.fnir_at_fpir_1e2}"
        )


if __name__ == "__main__":
    main()
