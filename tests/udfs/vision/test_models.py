"""What the declarations say, and that it is enough to build from."""

import numpy as np
import pytest
from PIL import Image

from tests.rows import unit
from udfs.errors import InputError
from udfs.vision.contract import contract
from udfs.vision.detect import Detection
from udfs.vision.embed import Crops, Embedder, FusedEmbedder, untrained
from udfs.vision.models import MODELS, embedder, with_weights
from udfs.vision.spec import VisionSpec

FACE = Detection(
    np.array([80.0, 80, 180, 200]), np.array([[105.0, 120], [155, 120], [130, 150], [110, 175], [150, 175]]), 1.0
)
IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8))


@pytest.mark.parametrize(
    ("detector", "embedder", "contract_id"),
    [
        ("centerface", "facenet-vggface2", "bcd5e47af816935a297fcac5ddbf1c0f2b51c301c24a9432c6b7e247566f1246"),
        ("centerface", "facenet-vggface2-int8", "c6ba04a742a90a2eacfeca86b11c3c377e5e01db4fdfb51ec267dcd0be20f461"),
    ],
)
def test_contracts_change_only_when_that_is_meant(detector: str, embedder: str, contract_id: str) -> None:
    assert contract(VisionSpec(detector=detector, embedder=embedder)).contract_id == contract_id


def test_vectors_are_as_declared() -> None:
    model = embedder("mobilefacenet")
    made = untrained(model, VisionSpec(batch_size=2))
    crops = made.crop(IMAGE, FACE)
    assert [crop.shape for crop in crops] == [(made.side, made.side, 3)]
    vectors = made.embed([crops] * 3)
    assert vectors.shape == (3, model.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[0].tobytes() == vectors[2].tobytes(), "whatever the place in the batch"


class Given(Embedder):
    """Gives the same vectors to whatever it is asked."""

    def __init__(self, side: int, vectors: np.ndarray) -> None:
        self.side, self._vectors = side, vectors

    def crop(self, image: Image.Image, face: Detection) -> Crops:
        return (np.full((self.side, self.side, 3), self.side, np.uint8),)

    def embed(self, crops: list[Crops]) -> np.ndarray:
        assert all(crop.shape[0] == self.side for (crop,) in crops), "each part sees its own crops"
        return self._vectors[: len(crops)]


def test_the_similarity_of_fused_vectors_is_that_of_the_parts_by_their_shares() -> None:
    left, right = unit(2, seed=1, dimension=5), unit(2, seed=2, dimension=7)
    fused = FusedEmbedder([Given(160, left), Given(112, right)], [0.3, 0.7])
    assert fused.side == 160
    vectors = fused.embed([fused.crop(IMAGE, FACE)] * 2)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    wanted = 0.3 * (left[0] @ left[1]) + 0.7 * (right[0] @ right[1])
    assert vectors[0] @ vectors[1] == pytest.approx(wanted, abs=1e-6)


def test_a_fused_embedder_needs_the_weights_of_its_parts() -> None:
    names = [model.name for model in with_weights(VisionSpec(embedder="fused"))]
    assert names == ["centerface-twice", "facenet-vggface2-int8", "mobilefacenet"]
    document = contract(VisionSpec(embedder="fused")).document["embedder"]
    assert [part["weights"] for part in document["parts"]] == [
        MODELS[name].weights.tensors_sha256 for name in names[1:]
    ]  # type: ignore[index]
    assert contract(VisionSpec(embedder="fused")).dimension == 704


@pytest.mark.parametrize("name", ["mobilefacenet", "dlib-resnet-v1"])
def test_a_margin_belongs_to_boxes(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} takes no vision.margin"):
        contract(VisionSpec(embedder=name, margin=10))


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.name)
def test_what_is_to_be_known_of_a_model_is_said(model: object) -> None:
    assert all((model.licence, model.trained_on, model.weights.origin))  # type: ignore[attr-defined]
