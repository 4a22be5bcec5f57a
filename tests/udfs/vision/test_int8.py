import pkgutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.vision import runtime
from udfs.vision.int8 import has_int8, quantise, ranges_of
from udfs.vision.models import embedder
from udfs.vision.pipeline import FacePipeline
from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec

needs_int8 = pytest.mark.skipif(not has_int8(), reason="needs a CPU with VNNI or AMX")


class OneConvolution(torch.nn.Module):
    def __init__(self, weights: np.ndarray) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, len(weights), 3, bias=False)
        self.conv.weight.data = torch.from_numpy(weights)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


@needs_int8
@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1), signed=st.booleans())
def test_a_convolution_is_what_integers_give(seed: int, signed: bool) -> None:
    """Inputs rounded to 256 steps and clipped, weights to 255 steps a channel, and their products summed."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    weights[3] = 0
    pixels = random.integers(0, 256, (2, 8, 8, 3), np.uint8)
    shift, reach = (128.0, 89.0) if signed else (0.0, 199.0)  # primes, so that no pixel lies between two steps
    ranges = {"conv": (-reach if signed else 0.0, reach)}
    run = network(lambda: OneConvolution(weights), VisionSpec(), of=None, shift=shift, ranges=ranges)

    step = reach / 127 if signed else reach / 255
    least, most = (-128, 127) if signed else (0, 255)
    inputs = np.clip(np.round((pixels.astype(float) - shift) / step), least, most).transpose(0, 3, 1, 2)
    widths = np.maximum(np.abs(weights).max((1, 2, 3)), 1e-30).astype(float) / 127
    rounded = np.round(weights / widths[:, None, None, None])
    sums = torch.nn.functional.conv2d(torch.from_numpy(inputs), torch.from_numpy(rounded)).numpy()
    np.testing.assert_allclose(run(pixels)[0], sums * step * widths[:, None, None], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("name", ["facenet-vggface2", "mobilefacenet"])
def test_every_convolution_of_whole_channels_has_its_range(name: str) -> None:
    module = pkgutil.resolve_name(embedder(name).networks[0].network)()
    layers = {at: layer for at, layer in module.named_modules() if isinstance(layer, torch.nn.Conv2d)}
    assert set(ranges_of(name)) == {at for at, layer in layers.items() if layer.groups == 1}


@needs_int8
def test_embeddings_are_near_those_in_float(shared: Path, facenet_weights: Path, centerface_weights: Path) -> None:
    photos = sorted((shared / "lfw-dev" / "images").rglob("*.jpg"))[::200]
    vectors = {}
    for name in ("facenet-vggface2", "facenet-vggface2-int8"):
        pipeline = FacePipeline(VisionSpec(embedder=name, threads=2, weights=((name, str(facenet_weights)),)))
        outcomes = pipeline.run((path, partial(path.read_bytes)) for path in photos)
        vectors[name] = np.stack([face.embedding for _, outcome in outcomes for face in outcome.faces])
    cosines = (vectors["facenet-vggface2"] * vectors["facenet-vggface2-int8"]).sum(1)
    assert len(cosines) >= len(photos)
    assert cosines.min() > 0.98
    assert cosines.max() < 1 - 1e-6  # it is another network


@pytest.mark.parametrize(
    ("flags", "able"),
    [("fpu avx2 avx512f", False), ("avx512f avx512_vnni", True), ("avx2 avx_vnni", True), ("amx_int8", True)],
)
def test_only_processors_that_do_not_saturate_are_taken(tmp_path: Path, flags: str, able: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n")
    assert has_int8(tmp_path / "cpuinfo") == able
    assert not has_int8(tmp_path / "nothing")


def run_without_integers(monkeypatch: pytest.MonkeyPatch, weights: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    monkeypatch.setattr(runtime, "has_int8", lambda: False)
    of = {"shift": 128.0, "ranges": {"conv": (-89.0, 89.0)}}
    return network(lambda: OneConvolution(weights), VisionSpec(), of=None, **of)(pixels)[0]  # type: ignore[arg-type]


def test_elsewhere_the_same_numbers_are_computed_in_float(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a CPU without such integers, and by the torch module that runs on GPUs."""
    random = np.random.default_rng(5)
    weights = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    pixels = random.integers(0, 256, (2, 8, 8, 3), np.uint8)
    shifted = pixels.astype(np.float32) - 128
    step, widths = 89 / 127, np.abs(weights).max((1, 2, 3), keepdims=True) / 127
    inputs = np.clip(np.round(shifted / step), -128, 127) * step
    rounded = np.round(weights / widths) * widths
    wanted = torch.nn.functional.conv2d(
        torch.from_numpy(inputs.transpose(0, 3, 1, 2)).double(), torch.from_numpy(rounded).double()
    ).numpy()
    np.testing.assert_allclose(run_without_integers(monkeypatch, weights, pixels), wanted, rtol=1e-4, atol=1e-2)
    module = quantise(OneConvolution(weights.copy()), {"conv": (-89.0, 89.0)})
    with torch.inference_mode():
        found = module(torch.from_numpy(shifted.transpose(0, 3, 1, 2).copy())).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-2)
