"""What is told of a network is what it computes."""

import numpy as np
import pytest
import torch

from udfs.vision.facenet_net import untrained
from udfs.vision.inside import inside
from udfs.vision.mobilefacenet_net import MobileFaceNetModule


@pytest.mark.parametrize(("make", "side"), [(MobileFaceNetModule, 112), (untrained, 160)])
def test_the_first_step_adds_up(make: object, side: int) -> None:
    torch.manual_seed(1)
    module = make()  # type: ignore[operator]
    crop = np.random.default_rng(1).integers(0, 255, (side, side, 3), np.uint8)
    found = inside(module, crop, 127.5, 128.0)
    first = found.first
    assert (first.pixels * first.weights).sum() + first.bias == pytest.approx(first.total, abs=1e-5)
    pixels = (torch.from_numpy(crop.astype(np.float32)) - 127.5) / 128
    with torch.inference_mode():
        convolution = next(layer for layer in module.modules() if isinstance(layer, torch.nn.Conv2d))
        padded = pixels.permute(2, 0, 1)[None]
        if isinstance(module, MobileFaceNetModule):
            padded = torch.nn.functional.pad(padded, (0, 1, 0, 1))
        made = convolution(padded)[0]
        vector = module(pixels.permute(2, 0, 1)[None])[0]
    assert float(made[first.channel, first.row, first.column]) == pytest.approx(first.total, abs=1e-4)
    np.testing.assert_allclose(found.vector, (vector / vector.norm()).numpy(), atol=1e-5)
    assert found.layers == sum(isinstance(layer, torch.nn.Conv2d) for layer in module.modules())
    assert len(found.stages) == 4


def test_pooling_adds_up() -> None:
    torch.manual_seed(1)
    crop = np.random.default_rng(2).integers(0, 255, (112, 112, 3), np.uint8)
    pooled = inside(MobileFaceNetModule(), crop, 127.5, 128.0).pooled
    assert pooled is not None
    assert float((pooled.map * pooled.weights).sum()) + pooled.bias == pytest.approx(pooled.total, abs=1e-4)
    assert inside(untrained(), crop, 127.5, 128.0).pooled is None, "it takes the mean of each map"
