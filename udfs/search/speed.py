"""Which way to scan a gallery is fastest on this machine: that is measured.

On processors with AVX-512 VNNI the compiled kernel is (Zen 4: two thirds of the time of torch's products); where they
have AMX, which the kernel does not use, torch may be faster.
"""

import json
from collections.abc import Sequence
from functools import partial
from importlib.metadata import version
from typing import TypeVar

import numpy as np

from udfs.kept import Files, kept
from udfs.machine import best_seconds, processor
from udfs.search.compiled import Compiled, library
from udfs.search.portable import Portable
from udfs.search.queries import Queries
from udfs.search.samples import SampleMatrix

_QUERIES, _SAMPLES, _K = 1008, 8192, 5
_WARM, _TIMED = 1, 3
_FILE = "seconds.json"

ScanPath = TypeVar("ScanPath", bound=type[Compiled | Portable])


def by_speed(paths: Sequence[ScanPath], dimension: int) -> list[ScanPath]:
    """Paths, the fastest first: measured on one thread, once a machine, and kept in its cache.

    paths: some may not work here; these are left out.
    """
    of = {"search by": [path.name for path in paths], "dimension": dimension, "processor": processor()}
    libraries = {"kernel": library() is not None, **{name: version(name) for name in ("numpy", "numba", "torch")}}

    def measure() -> Files:
        return {_FILE: json.dumps(measured(paths, dimension)).encode()}

    seconds: dict[str, float] = json.loads(kept("udfs.search", {**of, **libraries}, measure)[_FILE])
    known = [path for path in paths if path.name in seconds]
    return sorted(known, key=lambda path: seconds[path.name])


def measured(paths: Sequence[ScanPath], dimension: int) -> dict[str, float]:
    """Seconds of each path that works here, by its name: 1,008 queries among 8,192 samples, on one thread."""
    random = np.random.default_rng(0)
    vectors = random.standard_normal((_SAMPLES + _QUERIES, dimension), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [f"{row:05}" for row in range(_SAMPLES)]
    samples = SampleMatrix.of(vectors[:_SAMPLES], names, names)
    queries = Queries(vectors[_SAMPLES:], np.full(_QUERIES, -1.0), np.empty((0, 2), np.int64))

    def scan(path: Compiled | Portable) -> None:
        list(path.search(queries, _K, threads=1))

    calls = {path.name: partial(scan, path(samples)) for path in paths if path.works(dimension)}
    return best_seconds(calls, _WARM, _TIMED)
