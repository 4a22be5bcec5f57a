"""How fast this machine runs a model, which depends on its shape, not on its weights."""

import time
from dataclasses import replace
from statistics import median

import numpy as np

from udfs.vision.models import embedder
from udfs.vision.spec import Precision, VisionSpec

_WARM, _TIMED = 2, 5


def crops_per_second(spec: VisionSpec, precisions: list[Precision]) -> dict[Precision, float]:
    """Crops the configured embedder embeds in a second on one thread in each precision; medians of alternating rounds.

    Raises:
        InputError: unknown models, or the device is absent.
    """
    kind = embedder(spec.embedder)
    made = {precision: kind.untrained(replace(spec, precision=precision)) for precision in precisions}
    crops = list(np.random.default_rng(0).integers(0, 256, (spec.batch_size, kind.side, kind.side, 3), np.uint8))
    seconds: dict[Precision, list[float]] = {precision: [] for precision in precisions}
    for number in range(_WARM + _TIMED):
        for precision, model in made.items():
            began = time.perf_counter()
            model.embed(crops)
            if number >= _WARM:
                seconds[precision].append(time.perf_counter() - began)
    return {precision: len(crops) / median(times) for precision, times in seconds.items()}
