"""A network as OpenVINO runs it."""

import numpy as np
import torch

from udfs.vision.runtime import network
from udfs.vision.spec import VisionSpec


class Pixels(torch.nn.Module):
    """What it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Parameter(torch.ones(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.one


def test_a_quotient_is_rounded_once() -> None:
    """Not twice, as by a product with the inverse: the vectors of a normalising network would be others."""
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, 3)
    (found,) = network(Pixels, VisionSpec(), of=None, shift=127.5, scale=49.0)(pixels)
    wanted = (pixels.astype(np.float32) - np.float32(127.5)) / np.float32(49)
    assert found.transpose(0, 2, 3, 1).tobytes() == wanted.tobytes()
    inverse = (pixels.astype(np.float32) - np.float32(127.5)) * (np.float32(1) / np.float32(49))
    assert inverse.tobytes() != wanted.tobytes()
