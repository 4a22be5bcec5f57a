"""train embedder, from photos to a model of the settings: real networks, Spark and files; in the place of finding
faces, each photo is itself a crop."""

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from jobs.learning import crops, embedder
from jobs.run import settings
from jobs.run.context import Context
from jobs.train import embedder as train
from tests.support import MakeContext
from udfs import lake
from udfs.arrow import BatchFunction
from udfs.crops import CROP
from udfs.errors import InputError
from udfs.lake import File
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder as declared

SIDE = 112
PERSONS, PHOTOS = 44, 2
QUICK = {"passes": 1, "batch": 16, "part": "last", "last": 1, "gallery_size": 8, "fpir": 0.2, "name": "ours"}


def whole_photos(*_: object) -> BatchFunction:
    """Photos as their own crops; one that is grey all over shows no face."""

    def cut(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for row in batch.to_pylist():
                names = ("uri", "size", "modified_us", "regular")
                content = lake.read(File(**{name: row[name] for name in names}), 10**6)
                pixels = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
                there = bool(pixels.std())
                crop = {
                    "image_id": row["image_id"],
                    "outcome": "faces" if there else "no_face",
                    "side": SIDE if there else 0,
                    "crop": pixels.tobytes() if there else None,
                }
                yield pa.RecordBatch.from_pylist([crop], schema=CROP)

    return cut


@pytest.fixture
def people(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    for person in range(PERSONS):
        pattern = random.integers(0, 200, (14, 14, 3))
        for photo in range(PHOTOS):
            noisy = np.clip(pattern + random.integers(0, 55, pattern.shape), 0, 255).astype(np.uint8)
            path = tmp_path / "people" / f"p{person:02}" / f"{photo}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noisy).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)
    Image.new("RGB", (SIDE, SIDE), (9, 9, 9)).save(tmp_path / "people" / "p03" / "0.png")
    return tmp_path / "people"


@pytest.fixture
def context(
    make_context: MakeContext, tmp_path: Path, mobilefacenet_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> Context:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(crops, "cut_crops", whole_photos)
    return make_context("tables", "vision.embedder=mobilefacenet")


@pytest.mark.slow
def test_from_photos_to_a_model(
    context: Context, make_context: MakeContext, people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = tmp_path / "models" / ".ours.training"
    asked = {**QUICK, "images": str(people), "size": (20, 30), "grey": 1.0}

    # Killed when it had begun to learn: what was cut stays, nothing is declared.
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(embedder, "train_in", killed)
        with pytest.raises(KeyboardInterrupt):
            train(context, **asked)
    assert not (tmp_path / "rollcall.toml").exists()
    assert (work / "start.pt").exists()

    found = train(context, **asked)
    said = " ".join(make_context.said)
    assert "the crops of an earlier run are there" in said
    assert "goes on where an earlier run was killed" in said
    assert "1 photos show no face" in said
    (row,) = context.tables.read("models").collect()
    assert (row.kind, row.parent, row.better) == ("embedder", "mobilefacenet", found.better)
    assert json.loads(row.plan)["imitation"]["size"] == [20, 30]
    assert {"before_tar_at_far_0.01", "after_worse_tar_at_far_0.01"} <= set(row.measured)
    assert not work.exists()  # it held pictures of faces
    assert "trained from mobilefacenet" in (tmp_path / "models" / "ours.html").read_text()

    # What was declared computes what was trained, and answers as any model of one's own.
    loaded = settings.load(str(tmp_path / "rollcall.toml"), ("vision.embedder=ours",))
    spec = replace(loaded.spec(), precision="fp32")
    made = embedder_of(declared("ours", spec.models), spec, lambda _: pytest.fail("it is in its own file"))
    (vector,) = made.embed([(np.zeros((SIDE, SIDE, 3), np.uint8),)])
    assert vector.shape == (192,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_what_cannot_be_trained(context: Context, people: Path) -> None:
    for name, message in (
        ("fused", "'fused' cannot be trained; use one of"),
        ("dlib-resnet-v1", "densenet121 sees the"),
    ):
        other = replace(
            context,
            settings=context.settings.model_copy(
                update={"vision": context.settings.vision.model_copy(update={"embedder": name})}
            ),
        )
        network = None if name == "fused" else "densenet121"
        with pytest.raises(InputError, match=message):
            train(other, images=str(people), network=network, **QUICK)
    assert not context.tables.exists("models")


@pytest.mark.slow
def test_crops_that_were_changed_are_not_learnt_from(context: Context, people: Path, tmp_path: Path) -> None:
    files = crops.CropFiles(tmp_path / "crops")
    uris = [lake.uri_of(str(path)) for path in sorted(people.glob("p0[0-4]/*.png"))]
    files.cut(context, uris, embedder.verified_contract(context.settings.spec()), "middle")
    found = files.by_uri()
    assert found["outcome"].to_pylist().count("no_face") == 1
    shown = [uri for uri in uris if not uri.endswith("p03/0.png")]
    files.write(shown[::-1], tmp_path / "crops.npy")
    held = np.load(tmp_path / "crops.npy")
    for uri, crop in zip(shown[::-1], held, strict=True):
        assert np.array_equal(crop, np.asarray(Image.open(lake.local_path(uri))))
    first = next((tmp_path / "crops").glob("*.parquet"))
    first.write_bytes(first.read_bytes() + b"x")
    with pytest.raises(InputError, match="its crops are not those that were cut; remove it"):
        files.by_uri()
