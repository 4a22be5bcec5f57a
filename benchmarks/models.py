"""What each packaged embedder costs and misses, on the same faces.

python -m benchmarks.models --data FOLDER

Faces of LFW's development view, found by the default detector. Speed: crops embedded in full batches, in alternating
rounds; FaceNet as Rollcall 0.1.0 ran it, in bf16 where the processor has it, is the peer. Errors: TAR over all pairs,
FNIR at FPIR 1e-2 over all galleries of 500 and 1,000 persons with one photo each. Then what a declaration takes as
thresholds, measured on the same faces. Persons of LFW are also in what the networks were trained on: see `rollcall
models`. At last the same faces as grey portraits of 45 pixels, for the old default and those that are to follow it.
"""

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import click
import numpy as np

from benchmarks import lfw
from benchmarks.data import data_option, facenet
from benchmarks.rounds import alternate, isa, save
from evaluation.calibration import Probability
from evaluation.lfw_pairs import Pair
from udfs.vision import weights
from udfs.vision.embed import Crops, Embedder, embedder_of
from udfs.vision.models import embedder
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import settled

Array = np.ndarray

TIMED_BATCHES = 20
SIZES = (500, 1000)
FPIR = 1e-2
GREY_PIXELS = 45
"""Of the shorter side of a face in a grey portrait, as in ORL's photos (AT&T Laboratories Cambridge 1994)."""
PEER, FAST, DEFAULT = "facenet-vggface2", "mobilefacenet", VisionSpec().embedder


@dataclass(frozen=True)
class Figures:
    """Of one embedder in one precision. The thresholds are those of its declaration."""

    choice: str
    faces_per_second: float
    tar_at_far_1e3: float
    tar_at_far_1e4: float
    fnir_at_500: float
    fnir_at_1000: float
    match: float
    review: float
    pair_match: float
    pair_review: float
    intercept: float
    slope: float

    def lines(self) -> tuple[str, str]:
        """Speed and errors; thresholds."""
        errors = (self.tar_at_far_1e3, self.tar_at_far_1e4, self.fnir_at_500, self.fnir_at_1000)
        first = f"{self.choice:32} {self.faces_per_second:8.1f} " + " ".join(f"{error:8.4f}" for error in errors)
        decides = (self.match, self.review, self.pair_match, self.pair_review)
        second = f"{self.choice:32} " + " ".join(f"{value:8.3f}" for value in decides)
        return first, f"{second} {self.intercept:9.1f} {self.slope:7.1f}"


def measured(choice: str, name: str, speed: float, vectors: dict[str, Array], pairs: dict[str, list[Pair]]) -> Figures:
    """The figures of one embedder. vectors: of the faces, by their images."""
    every = lfw.all_pairs(vectors)
    searched = lfw.searches(vectors, name)
    missed = {size: searched.fnir(size, searched.threshold_at(size, FPIR)) for size in SIZES}
    odds = Probability.of(lfw.comparisons([pair for part in pairs.values() for pair in part], vectors))
    return Figures(
        choice,
        faces_per_second=round(speed, 1),
        tar_at_far_1e3=round(every.tar_at(1e-3), 4),
        tar_at_far_1e4=round(every.tar_at(1e-4), 4),
        fnir_at_500=round(missed[500], 4),
        fnir_at_1000=round(missed[1000], 4),
        match=round(every.threshold_at(1e-4), 3),
        review=round(every.threshold_at(1e-3), 3),
        pair_match=round(every.threshold_at(1e-3), 3),
        pair_review=round(every.threshold_at(1e-2), 3),
        intercept=round(odds.intercept, 1),
        slope=round(odds.slope, 1),
    )


def grey(face: lfw.CentralFace) -> lfw.CentralFace:
    """The same face in a small grey portrait."""
    small = face.at(GREY_PIXELS)
    return replace(small, image=small.image.convert("L").convert("RGB"))


def on_grey(made: Embedder, faces: dict[str, lfw.CentralFace], threads: int) -> dict[str, float]:
    """TAR of grey portraits, by FAR."""
    portraits = [grey(face) for face in faces.values()]
    crops = [made.crop(portrait.image, portrait.found) for portrait in portraits]
    every = lfw.all_pairs(dict(zip(faces, lfw.embed(made, crops, threads), strict=True)))
    return {f"tar_at_far_{rate:g}": round(every.tar_at(rate), 4) for rate in (1e-3, 1e-4)}


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=5, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads each embedder computes on.")
def main(data: Path, rounds: int, threads: int) -> None:
    plain = VisionSpec(threads=threads, batch_size=lfw.BATCH, weights=((PEER, str(facenet(data))),))
    as_shipped = f"{PEER} {cpu_precisions()[-1]}"
    specs = {as_shipped: replace(plain, embedder=PEER, precision=cpu_precisions()[-1])}
    for name in (PEER, f"{PEER}-int8", FAST, f"{FAST}-int8", DEFAULT):
        for precision in cpu_precisions():
            specs.setdefault(f"{name} {precision}", replace(plain, embedder=name, precision=precision))
    specs[f"{DEFAULT} flip"] = settled(replace(plain, embedder=DEFAULT, precision="fastest", flip=True))
    pairs = lfw.pairs(data)
    names = sorted({name for part in pairs.values() for pair in part for name in (pair.left, pair.right)})
    faces = lfw.faces(data, specs[as_shipped], names)
    made: dict[str, Embedder] = {
        choice: embedder_of(embedder(spec.embedder), spec, partial(weights.source_of, spec))
        for choice, spec in specs.items()
    }
    crops: dict[str, list[Crops]] = {
        choice: [of.crop(face.image, face.found) for face in faces.values()] for choice, of in made.items()
    }
    few = lfw.BATCH * TIMED_BATCHES
    timings = alternate({name: partial(lfw.embed, of, crops[name][:few], threads) for name, of in made.items()}, rounds)
    speeds = {name: few / timing.median for name, timing in timings.items()}

    rows = []
    for choice, of in made.items():
        vectors = dict(zip(faces, lfw.embed(of, crops[choice], threads), strict=True))
        rows.append(measured(choice, specs[choice].embedder, speeds[choice], vectors, pairs))
    print(f"\n{len(faces)} faces\n{'':32}  faces/s far=1e-3 far=1e-4   n=500   n=1000")
    for row in rows:
        print(row.lines()[0])
    print(f"\n{'thresholds':32}    match   review pair match review intercept   slope")
    for row in rows:
        print(row.lines()[1])
    by_choice = {row.choice: row for row in rows}
    quick = max((name for name in speeds if name.startswith(FAST)), key=lambda name: speeds[name])
    settled_in = settled(replace(plain, embedder=DEFAULT, precision="fastest")).precision
    default = f"{DEFAULT} {settled_in}"
    figures: dict[str, object] = {
        "faces": len(faces),
        "threads": threads,
        "embedders": [asdict(row) for row in rows],
        "grey": {choice: on_grey(made[choice], faces, threads) for choice in (as_shipped, quick, default)},
        "fast": quick,
        "default": default,
        "fast_ratio": round(speeds[quick] / speeds[as_shipped], 2),
        "accurate_ratio": round(speeds[default] / speeds[as_shipped], 2),
    }
    for choice, rates in figures["grey"].items():  # type: ignore[attr-defined]
        print(f"grey portraits: {choice:32} {rates}")
    print(f"written to {save('models', figures)}")
    print(
        f"models: fast_ratio={figures['fast_ratio']} accurate_ratio={figures['accurate_ratio']}"
        f" fnir_old={by_choice[as_shipped].fnir_at_1000} fnir_fast={by_choice[quick].fnir_at_1000}"
        f" fnir_default={by_choice[default].fnir_at_1000} isa={isa()}"
    )


if __name__ == "__main__":
    main()
