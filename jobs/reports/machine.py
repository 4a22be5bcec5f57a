"""What a machine has of what jobs need, in words, and how fast it computes."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace

from jobs.run.settings import Settings
from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.int8 import has_int8
from udfs.vision.models import EMBEDDERS
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec

_WORTH_IT = 1.1  # times as fast: below that the more precise is the better choice


def java() -> str:
    """The version of Java that Spark will start.

    Raises:
        InputError: there is none.
    """
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(f"{home}/bin/java" if home else "java")
    if found is None:
        raise InputError("not found; install Java 17, and set JAVA_HOME or PATH")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False).stderr
    return said.partition("\n")[0]


def weights_of(model: str, settings: Settings) -> str:
    """Whether the weights of a model are here.

    Raises:
        InputError: they are not, or they are others.
    """
    weights.load(model, settings.weights.get(model))
    return "the digest of the weights matches"


def search_path() -> str:
    """How galleries are searched here, and what a faster way would need."""
    from udfs.search.index import PATHS, fastest

    path = fastest(512).name
    if path == PATHS[0].name:
        return path
    return (
        f"{path}, the same bits as {PATHS[0].name} and slower: {PATHS[0].name} needs AVX-512 VNNI"
        " (compiled-avx2: AVX2), and a C++"
        " compiler at install"
    )


def speeds(settings: Settings) -> Iterator[str]:
    """What the embedder does in each precision, and which to configure."""
    from udfs.vision.speed import crops_per_second

    vision = settings.vision
    if vision.device != "cpu":
        yield "precision: measured for a CPU only; GPUs since 2020 (Ampere) compute fastest in bf16"
        return
    spec = settings.spec()
    specs: dict[str, VisionSpec] = {name: replace(spec, precision=name) for name in cpu_precisions()}
    if (int8 := f"{vision.embedder}-int8") in EMBEDDERS and has_int8():
        specs[int8] = replace(spec, embedder=int8)
    measured = crops_per_second(specs)
    told = ", ".join(f"{name} {speed:.1f}" for name, speed in measured.items())
    yield f"speed: {vision.embedder} on {platform.machine()}: {told} faces/s a thread"
    best = max(cpu_precisions(), key=lambda precision: measured[precision])
    chosen = best if measured[best] >= _WORTH_IT * measured["fp32"] else "fp32"
    configured = vision.precision if vision.precision != "fastest" else f"fastest, which is {spec.precision}"
    yield f"precision: configured is {configured}; best here: --set vision.precision={chosen}"
    if int8 in measured:
        yield (
            f"int8: {measured[int8] / measured[chosen]:.1f} times as fast: --set vision.embedder={int8};"
            " faces embedded by it can only be compared with each other, so galleries are enrolled again"
        )
