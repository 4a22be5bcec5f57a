"""Networks on a real GPU."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from udfs.vision.gpu import Recorded, on_gpu

Array = np.ndarray

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")

SHAPES = [(2, 32, 48), (1, 64, 64), (3, 16, 16)]


class Small(nn.Module):
    """Pixels to a map, and to a vector."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.convolution, self.vector = nn.Conv2d(3, 8, 3, 1, 1), nn.Linear(8, 4)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.convolution(pixels.permute(0, 3, 1, 2).to(self.vector.weight.dtype) / 255)
        return x, self.vector(x.mean((2, 3)))


def pixels(shape: tuple[int, int, int], seed: int = 0) -> Array:
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def wanted(given: Array) -> list[Array]:
    with torch.inference_mode():
        return [output.numpy() for output in Small()(torch.from_numpy(given))]


def small(*, one_shape: bool = False) -> Recorded:
    return on_gpu(Small().eval(), "cuda:0", "fp32", one_shape=one_shape)


@pytest.mark.parametrize("one_shape", [True, False])
def test_any_shape_gives_what_a_cpu_gives_and_the_same_bits_again(one_shape: bool) -> None:
    network = small(one_shape=one_shape)
    for shape in SHAPES * 2:
        given = pixels(shape)
        found = network(given)
        for mine, theirs in zip(found, wanted(given), strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-5)
        for mine, again in zip(found, network(given), strict=True):
            np.testing.assert_array_equal(mine, again)


def test_many_threads_ask_at_once() -> None:
    network = small()
    given = [pixels(SHAPES[at % len(SHAPES)], at) for at in range(60)]
    with ThreadPoolExecutor(8) as pool:
        for mine, image in zip(pool.map(network, given), given, strict=True):
            np.testing.assert_allclose(mine[1], wanted(image)[1], atol=1e-5)


def test_more_shapes_than_are_kept() -> None:
    network = small()
    for side in range(8, 108):
        np.testing.assert_allclose(network(pixels((1, side, 8)))[1], wanted(pixels((1, side, 8)))[1], atol=1e-5)


def test_one_network_after_the_other() -> None:
    """The memory of recordings goes with the last of a network."""
    for _ in range(3):
        np.testing.assert_allclose(small()(pixels(SHAPES[0]))[1], wanted(pixels(SHAPES[0]))[1], atol=1e-5)
