"""Crops are those that `embed` embeds, and the face is the one that is meant."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from udfs import lake
from udfs.crops import _meant, cut_crops
from udfs.embedding import embed_images
from udfs.vision import weights
from udfs.vision.contract import contract
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec


@pytest.mark.slow
def test_a_crop_is_what_was_embedded(
    demo_photos: tuple[Path, Path], dlib_weights: Path, centerface_weights: Path
) -> None:
    spec = VisionSpec(embedder="dlib-resnet-v1")
    spec = replace(spec, contract_id=contract(spec).contract_id)
    names = ["speech.jpg", "lying_on_its_side.jpg", "notes.jpg", "coffee.png"]
    folder = next(demo_photos[0].iterdir())
    located = [lake.find(lake.uri_of(str(folder / name))) for name in names]
    rows = [{"image_id": name, **vars(file)} for name, file in zip(names, located, strict=True)]
    batch = pa.RecordBatch.from_pylist(rows)
    assert spec.contract_id is not None
    outcomes = pa.Table.from_batches(embed_images(spec, spec.contract_id, "s")(iter([batch]))).to_pylist()
    crops = pa.Table.from_batches(cut_crops(spec, spec.contract_id, "largest")(iter([batch]))).to_pylist()
    assert [row["outcome"] for row in crops] == [row["outcome"] for row in outcomes]
    made = embedder_of(embedder(spec.embedder), spec, lambda name: weights.source_of(spec, name))
    for outcome, crop in zip(outcomes, crops, strict=True):
        if outcome["outcome"] != "faces":
            assert crop["crop"] is None
            continue
        largest = max(outcome["faces"], key=lambda face: face["quality"]["size"])
        pixels = np.frombuffer(crop["crop"], np.uint8).reshape(crop["side"], crop["side"], 3)
        assert np.array_equal(made.embed([(pixels,)])[0], np.float32(largest["embedding"]))


def face(left: float, size: float) -> Any:
    box = np.array([left, 40, left + size, 40 + size])
    return SimpleNamespace(box=box, quality=SimpleNamespace(size=size))


def test_which_face_is_meant() -> None:
    large, middle = face(0, 60), face(80, 40)
    shown: Any = SimpleNamespace(faces=[large, middle], width=200, height=120)
    assert _meant(shown, "largest") is large
    assert _meant(shown, "middle") is middle
    assert _meant(shown, "only") is None
    alone: Any = SimpleNamespace(faces=[large], width=200, height=120)
    assert _meant(alone, "only") is large
    nobody: Any = SimpleNamespace(faces=[], width=200, height=120)
    assert _meant(nobody, "middle") is None
