"""How fast this machine runs a model, which depends on its shape, not on its weights."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np

from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec

_WARM, _TIMED = 2, 5


def crops_per_second(specs: dict[str, VisionSpec]) -> dict[str, float]:
    """Crops each embedder embeds in a second on one thread; medians of alternating rounds.

    Raises:
        InputError: unknown models, or the device is absent.
    """
    calls = {name: _one_batch(spec) for name, spec in specs.items()}
    seconds: dict[str, list[float]] = {name: [] for name in specs}
    for number in range(_WARM + _TIMED):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if number >= _WARM:
                seconds[name].append(time.perf_counter() - began)
    return {name: specs[name].batch_size / median(times) for name, times in seconds.items()}


def _one_batch(spec: VisionSpec) -> Callable[[], object]:
    kind = embedder(spec.embedder)
    model = kind.untrained(spec)
    crops = list(np.random.default_rng(0).integers(0, 256, (spec.batch_size, kind.side, kind.side, 3), np.uint8))
    return partial(model.embed, crops)
