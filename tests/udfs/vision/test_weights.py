import shutil
from pathlib import Path

import pytest
import torch

from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import WeightsSource, digest


def test_the_networks_fit_their_weights(dlib_weights: Path) -> None:
    """`load` verifies the digest; the network takes every tensor and misses none."""
    tensors = weights.load("dlib-resnet-v1", str(dlib_weights))
    embedder_of(embedder("dlib-resnet-v1"), VisionSpec(), lambda _: WeightsSource(None, lambda: tensors))


def test_facenet_is_known_with_and_without_its_classifier(facenet_weights: Path, tmp_path: Path) -> None:
    state = torch.load(facenet_weights, weights_only=True)
    torch.save({**state, "logits.weight": torch.zeros(8631, 512)}, tmp_path / "upstream.pt")
    with_head = weights.load("facenet-vggface2", str(tmp_path / "upstream.pt"))
    assert digest(with_head) == digest(weights.load("facenet-vggface2", str(facenet_weights)))


def test_one_bit_is_another_network(facenet_weights: Path, tmp_path: Path) -> None:
    state = torch.load(facenet_weights, weights_only=True)
    state["last_linear.weight"].view(torch.int32)[0, 0] ^= 1
    torch.save(state, tmp_path / "wrong.pt")
    for _ in range(2):
        with pytest.raises(InputError, match=r"wrong.pt: not the weights .* digest"):
            weights.verify("facenet-vggface2", str(tmp_path / "wrong.pt"))


def test_a_file_is_verified_once(dlib_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path / "cache"))
    copy = tmp_path / "copy.dat"
    shutil.copy2(dlib_weights, copy)
    weights.verify("dlib-resnet-v1", str(copy))
    monkeypatch.setattr(weights, "verified", lambda *_: pytest.fail("it is known"))
    weights.verify("dlib-resnet-v1", str(copy))
    monkeypatch.undo()
    content = bytearray(copy.read_bytes())
    content[len(content) // 2] ^= 1
    copy.write_bytes(content)
    with pytest.raises(InputError, match=r"copy.dat: not"):
        weights.verify("dlib-resnet-v1", str(copy))


@pytest.mark.parametrize("name", ["facenet-vggface2", "dlib-resnet-v1", "centerface"])
@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04 half a zip"])
def test_files_that_are_not_weights(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InputError, match="file: not"):
        weights.load(name, str(tmp_path / "file"))


def test_weights_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_CACHE", str(tmp_path))
    with pytest.raises(InputError, match="rollcall weights fetch dlib-resnet-v1"):
        weights.load("dlib-resnet-v1")
    with pytest.raises(InputError, match="use one of"):
        weights.load("arcface")


def test_models_of_the_same_weights_share_the_file_that_is_named() -> None:
    spec = VisionSpec(weights=(("facenet-vggface2", "here.pt"), ("mine", "mine.onnx")))
    assert weights.named_in(spec, "facenet-vggface2") == "here.pt"
    assert weights.named_in(spec, "facenet-vggface2-int8") == "here.pt"
    assert weights.named_in(spec, "mine") == "mine.onnx"
    assert weights.named_in(spec, "mobilefacenet") is None
    both = VisionSpec(weights=(("facenet-vggface2", "here.pt"), ("facenet-vggface2-int8", "there.pt")))
    assert weights.named_in(both, "facenet-vggface2-int8") == "there.pt"
