"""How fast this machine runs a model, which depends on its shape, not on its weights."""

import time
from collections.abc import Callable
from functools import partial
from statistics import median

import numpy as np
from PIL import Image

from udfs.vision.detect import Detection
from udfs.vision.embed import untrained
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
    made = untrained(embedder(spec.embedder, spec.models), spec)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8))
    landmarks = np.array([[96.0, 108.0], [160, 108], [128, 140], [104, 176], [152, 176]])
    face = Detection(np.array([64.0, 56.0, 192.0, 216.0]), landmarks, 1.0)
    return partial(made.embed, [made.crop(noise, face)] * spec.batch_size)
