"""How fast this machine runs the models, and in which precision each of them is fastest.

A bf16 that is slower than fp32 is common: processors with avx512_bf16 and no AMX compute it at .6 of the speed of fp32.
Hence it is measured, and not told by what a processor knows.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.kept import Files, kept
from udfs.machine import best_seconds, processor
from udfs.vision import weights
from udfs.vision.detect import Detection, detector_class
from udfs.vision.embed import Embedder, embedder_of, untrained
from udfs.vision.models import detector, embedder
from udfs.vision.runtime import cpu_precisions, versions
from udfs.vision.spec import Precision, VisionSpec

_WARM, _TIMED = 2, 5
_WORTH_IT = 1.1  # times as fast: below that the more precise is the better choice
_PICTURE = 512  # pixels of the sides of the picture in which faces are sought
_FILE = "seconds.json"

Seconds = dict[Precision, float]
"""Of one call, by the precision it computes in."""


@dataclass(frozen=True)
class MeasuredSpeeds:
    """What this machine's CPU takes on one thread. detector: a picture of 512 x 512 pixels; embedder: a batch."""

    detector: Seconds
    embedder: Seconds

    @classmethod
    def of(cls, spec: VisionSpec) -> "MeasuredSpeeds":
        """Measured once a machine, and kept in its cache.

        Raises:
            InputError: unknown models, or weights missing or wrong.
        """
        measured = {"batch_size": spec.batch_size, "processor": processor(), **versions()}
        embeds = embedder(spec.embedder, spec.models).document(spec)
        models = {"detector": spec.detector, "embedder": embeds}

        def measure() -> Files:
            return {_FILE: json.dumps(_measured(spec)).encode()}

        return cls(**json.loads(kept(__package__, {"speeds of": models, **measured}, measure)[_FILE]))

    @staticmethod
    def fastest(seconds: Seconds) -> Precision:
        """The fastest precision; fp32, unless another takes less than 1 / 1.1 of its time."""
        best = min(seconds, key=lambda precision: seconds[precision])
        return best if seconds["fp32"] >= _WORTH_IT * seconds[best] else "fp32"


def settled(spec: VisionSpec) -> VisionSpec:
    """The specification with the fastest precision of detector and embedder, where it says "fastest". The driver
    settles it, so that all tasks of a job compute in the same.

    Raises:
        InputError: the device is a GPU, for which nothing is measured; or as of MeasuredSpeeds.
    """
    if spec.precision != "fastest":
        return spec
    if spec.device != "cpu":
        raise InputError('vision.precision is "fastest", which is only measured for a CPU; set it to bf16 or fp32')
    if cpu_precisions() == ["fp32"]:
        return replace(spec, precision="fp32")
    speeds = MeasuredSpeeds.of(spec)
    finds, embeds = speeds.fastest(speeds.detector), speeds.fastest(speeds.embedder)
    return replace(spec, precision=embeds, detector_precision=finds)


def crops_per_second(specs: dict[str, VisionSpec]) -> dict[str, float]:
    """Crops each embedder embeds in a second on one thread; its speed depends on its shape, not on its weights.

    Raises:
        InputError: unknown models, or the device is absent.
    """
    made = {name: untrained(embedder(spec.embedder, spec.models), spec) for name, spec in specs.items()}
    seconds = best_seconds({name: _one_batch(of, specs[name]) for name, of in made.items()}, _WARM, _TIMED)
    return {name: specs[name].batch_size / taken for name, taken in seconds.items()}


def _measured(spec: VisionSpec) -> dict[str, dict[str, float]]:
    calls: dict[tuple[str, Precision], Callable[[], object]] = {}
    for precision in cpu_precisions():
        of = replace(spec, precision=precision, threads=1)
        finds = detector_class(detector(of.detector, of.models))(of, weights.source_of(spec, of.detector))
        embeds = embedder_of(embedder(of.embedder, of.models), of, partial(weights.source_of, spec))
        picture = _noise(*finds.canvas(_PICTURE, _PICTURE))[None]
        calls["detector", precision] = partial(finds.detect, picture)
        calls["embedder", precision] = _one_batch(embeds, of)
    seconds = best_seconds(calls, _WARM, _TIMED)
    return {
        kind: {precision: seconds[kind, precision] for precision in cpu_precisions()}
        for kind in ("detector", "embedder")
    }


def _one_batch(made: Embedder, spec: VisionSpec) -> Callable[[], object]:
    landmarks = np.array([[96.0, 108.0], [160, 108], [128, 140], [104, 176], [152, 176]])
    face = Detection(np.array([64.0, 56.0, 192.0, 216.0]), landmarks, 1.0)
    return partial(made.embed, [made.crop(Image.fromarray(_noise(256, 256)), face)] * spec.batch_size)


def _noise(rows: int, columns: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (rows, columns, 3), np.uint8)
