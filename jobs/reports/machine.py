"""What a machine has of what jobs need, in words, and how fast it computes."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobs.run.settings import Settings
from udfs import lake
from udfs.cache import cache
from udfs.errors import InputError
from udfs.vision import own_detector_file, own_file, weights
from udfs.vision.declaration import (
    AdaptedModel,
    EmbedderDeclaration,
    EmbedderModel,
    FusedModel,
    Model,
    OnnxModel,
    OwnDetector,
)
from udfs.vision.int8 import has_int8
from udfs.vision.models import EMBEDDERS, detectors, embedders, own_detector, with_weights
from udfs.vision.onnx_network import onnx_network
from udfs.vision.own import AdaptedDeclaration, OnnxDeclaration, OwnModels
from udfs.vision.runtime import cpu_precisions
from udfs.vision.spec import VisionSpec


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


def models(settings: Settings) -> list[str]:
    """The models whose weights the settings need.

    Raises:
        InputError: no such model.
    """
    vision = settings.vision
    spec = VisionSpec(detector=vision.detector, embedder=vision.embedder, models=settings.own_models())
    adapted = [own.name for own in spec.models if own.name == spec.embedder and isinstance(own, AdaptedDeclaration)]
    return [*(model.name for model in with_weights(spec)), *adapted]


def model_rows(speed: bool, own: OwnModels = ()) -> list[list[str]]:
    """What is known of each model, as text: name, kind, dimensions, crop, licence, training data, whether the weights
    are here; and faces a second on one thread, if these are to be measured. own: those that the settings declare.
    """
    rows = [
        [model.name, "detector", "", "", model.licence, model.trained_on, _weights_here([model])]
        for model in detectors(own).values()
    ]
    for embeds in embedders(own).values():
        networks = embeds.networks
        crops = " and ".join(f"{of.crop.rule}, {of.crop.side} px" for of in networks)
        if isinstance(embeds, AdaptedModel):
            licence, trained_on = f"that of {embeds.of.name}", f"as {embeds.of.name}, adapted to photos of one's own"
        elif isinstance(embeds, FusedModel):
            licence, trained_on = f"those of {' and '.join(of.name for of in networks)}", "as theirs"
        else:
            licence, trained_on = embeds.licence, embeds.trained_on
        here = _weights_here(networks)
        rows.append([embeds.name, "embedder", str(embeds.dimension), crops, licence, trained_on, here])
    if speed:
        speeds = _embedder_speeds(own)
        rows = [[*row, f"{speeds[row[0]]:.0f}" if row[0] in speeds else ""] for row in rows]
    return rows


def _weights_here(models: Sequence[Model | OnnxModel | OwnDetector]) -> str:
    sizes = [size for model in models if (size := _bytes_here(model)) is not None]
    if not sizes:
        return "inside a package"
    return f"here, {sum(sizes) / 1e6:.1f} MB" if all(sizes) else "not here"


def _bytes_here(model: Model | OnnxModel | OwnDetector) -> int | None:
    """The size of the file of a model, 0 if it is not here; None if it needs no file."""
    if isinstance(model, OnnxModel | OwnDetector):
        return lake.find(lake.uri_of(model.declared.file)).size
    if model.weights.file is None:
        return None
    path = cache() / model.weights.file.name
    return path.stat().st_size if path.exists() else 0


def _embedder_speeds(own: OwnModels) -> dict[str, float]:
    """Of those whose files are here, where their form is in the file."""
    from udfs.vision.speed import crops_per_second

    def able(of: EmbedderModel | OnnxModel) -> bool:
        return bool(_bytes_here(of)) if isinstance(of, OnnxModel) else True

    def adapted(model: EmbedderDeclaration) -> bool:
        return not isinstance(model, AdaptedModel) or bool(lake.find(lake.uri_of(model.declared.file)).size)

    known = embedders(own).items()
    names = [name for name, model in known if all(able(of) for of in model.networks) and adapted(model)]
    return crops_per_second({name: VisionSpec(embedder=name, models=own) for name in names})


def weights_of(model: str, settings: Settings) -> str:
    """Whether the weights of a model are here.

    Raises:
        InputError: they are not, or they are others.
    """
    detector = own_detector(model, settings.own_models())
    if detector is not None:
        own_detector_file.verify(detector.declared, weights.named_in(settings.spec(), model))
        return "the file is the declared one, and holds weights of CenterFace"
    for own in settings.own_models():
        if own.name == model and isinstance(own, AdaptedDeclaration):
            own_file.read(own)
            return "the file is the declared one"
        if own.name == model and isinstance(own, OnnxDeclaration):
            onnx_network(own, replace(settings.spec(), precision="fp32"))
            return "the file is the declared one, and gives its known answer"
    weights.load(model, weights.named_in(settings.spec(), model))
    return "the digest of the weights matches"


def search_path() -> str:
    """How galleries are searched here, and what a faster way would need."""
    from udfs.search.compiled import Compiled
    from udfs.search.index import fastest

    path = fastest(512).name
    if Compiled.works(512):
        return f"{path}, which was measured to be the fastest here"
    return (
        f"{path}, the same bits as {Compiled.name} and slower: {Compiled.name} needs AVX-512 VNNI (compiled-avx2:"
        " AVX2), and a C++ compiler at install"
    )


def speeds(settings: Settings) -> Iterator[str]:
    """In which precision detector and embedder are fastest here, and what 8-bit integers would gain."""
    vision = settings.vision
    if vision.device != "cpu":
        yield "precision: measured for a CPU only; use fp32 on a GPU: bf16 is hardly quicker, as decoding takes longer"
        return
    spec = settings.spec()
    try:
        yield from _precisions(spec)
    except InputError as error:
        yield f"precision: measured once the weights are here: {error}"
    yield from _int8_gain(spec)


def _precisions(spec: VisionSpec) -> Iterator[str]:
    from udfs.vision.speed import MeasuredSpeeds

    speeds = MeasuredSpeeds.of(spec)
    for name, unit, seconds in (
        (spec.detector, "a picture of 512 x 512 pixels", speeds.detector),
        (spec.embedder, f"{spec.batch_size} faces", speeds.embedder),
    ):
        told = ", ".join(f"{precision} {1000 * taken:.1f} ms" for precision, taken in seconds.items())
        fastest = speeds.fastest(seconds)
        yield f"speed: {name} on {platform.machine()}: {unit} in {told} on one thread; fastest is {fastest}"
    if spec.precision != "fastest":
        yield f"precision: configured is {spec.precision} for both; --set vision.precision=fastest takes these"


def _int8_gain(spec: VisionSpec) -> Iterator[str]:
    from udfs.vision.speed import crops_per_second

    int8 = f"{spec.embedder}-int8"
    if int8 not in EMBEDDERS or not has_int8():
        return
    specs: dict[str, VisionSpec] = {precision: replace(spec, precision=precision) for precision in cpu_precisions()}
    specs[int8] = replace(spec, embedder=int8, precision=cpu_precisions()[-1])
    measured = crops_per_second(specs)
    gain = measured.pop(int8) / max(measured.values())
    yield (
        f"int8: {gain:.1f} times as fast: --set vision.embedder={int8}; faces embedded by it can only be compared with"
        " each other, so galleries are enrolled again"
    )
