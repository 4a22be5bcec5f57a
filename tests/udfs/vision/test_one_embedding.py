"""One portrait in every format that can be read, of every depth and orientation: one embedding."""

from functools import partial
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.udfs.vision.pictures import colours, encoded, greys, raw, tiff
from udfs.vision.exif import TRANSPOSE
from udfs.vision.pipeline import FacePipeline, ImageOutcome
from udfs.vision.spec import VisionSpec

pillow_heif.register_heif_opener()


@pytest.fixture(scope="module")
def portrait(demo_photos: tuple[Path, Path]) -> Image.Image:
    with Image.open(demo_photos[0] / "2026-01-31" / "astronaut.png") as photo:
        return photo.convert("RGB")


@pytest.fixture(scope="module")
def pipeline(mobilefacenet_weights: Path, centerface_weights: Path) -> FacePipeline:
    return FacePipeline(VisionSpec(embedder="mobilefacenet", threads=2))


def as_people_have_it(portrait: Image.Image) -> dict[str, bytes]:
    """In colours of eight bits, by format."""
    grained = portrait.quantize(256, Image.Quantize.MEDIANCUT)
    made = {
        "JPEG": encoded(portrait, "JPEG", quality=92),
        "progressive JPEG": encoded(portrait, "JPEG", quality=92, progressive=True),
        "JPEG in CMYK": encoded(portrait.convert("CMYK"), "JPEG", quality=92),
        "JPEG without its end": encoded(portrait, "JPEG", quality=92)[:-2],
        "PNG": encoded(portrait),
        "PNG with alpha": encoded(portrait.convert("RGBA")),
        "PNG with a palette": encoded(grained),
        "GIF": encoded(grained, "GIF"),
        "BMP": encoded(portrait, "BMP"),
        "WebP": encoded(portrait, "WEBP", quality=90),
        "WebP without loss": encoded(portrait, "WEBP", lossless=True),
        "TIFF": encoded(portrait, "TIFF"),
        "TIFF in LZW": encoded(portrait, "TIFF", compression="tiff_lzw"),
        "TIFF in JPEG": encoded(portrait, "TIFF", compression="jpeg"),
        "JPEG 2000": encoded(portrait, "JPEG2000"),
        "HEIC": encoded(portrait, "HEIF", quality=90),
        "AVIF": encoded(portrait, "AVIF", quality=90),
        "PPM": encoded(portrait, "PPM"),
        "DNG": raw(portrait, portrait.size),
    }
    for orientation, method in TRANSPOSE.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = portrait.transpose(_INVERSE.get(method, method))
        for form in ("JPEG", "PNG", "WEBP", "TIFF"):
            made[f"{form} stored as {orientation}"] = encoded(stored, form, exif=exif, quality=92)
        deep = np.asarray(stored).astype(np.uint16) * 257
        tag = [(0x0112, "H", 1, orientation, True)]
        made[f"deep TIFF stored as {orientation}"] = tiff(deep, photometric="rgb", extratags=tag)
    return made


PALETTES = {"PNG with a palette", "GIF"}
_INVERSE = {
    Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
    Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
}


def similarities(pipeline: FacePipeline, files: dict[str, bytes], reference: bytes) -> dict[str, float]:
    """How near the embedding of each file is to that of the reference; -1 where not one face is found."""
    outcomes = [outcome for _, outcome in pipeline.run(enumerate(map(_reading, [reference, *files.values()])))]
    known, *found = map(_embedding, outcomes)
    assert known is not None
    return {name: -1.0 if vector is None else float(known @ vector) for name, vector in zip(files, found, strict=True)}


def _reading(content: bytes) -> "partial[bytes]":
    return partial(bytes, content)


def _embedding(outcome: ImageOutcome) -> np.ndarray | None:
    return outcome.faces[0].embedding if len(outcome.faces) == 1 else None


def test_a_portrait_has_one_embedding(pipeline: FacePipeline, portrait: Image.Image) -> None:
    reference = encoded(portrait)
    in_colour = as_people_have_it(portrait) | {
        f"{name}, deep": content for name, content in colours(np.asarray(portrait)).items()
    }
    near = similarities(pipeline, in_colour, reference)
    # A palette of 256 colours is not the picture that it was.
    assert {name: value for name, value in near.items() if value < (0.97 if name in PALETTES else 0.99)} == {}
    in_grey = greys(np.asarray(portrait.convert("L"))) | {"JPEG": encoded(portrait.convert("L"), "JPEG", quality=92)}
    near = similarities(pipeline, in_grey, reference)
    assert {name: value for name, value in near.items() if value < 0.95} == {}
