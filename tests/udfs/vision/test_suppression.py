"""What is left of overlapping boxes is what torchvision leaves."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.ops import nms

from udfs.vision.suppression import without_overlap


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@settings(max_examples=100)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 60), most=st.sampled_from([0.3, 0.5, 0.7]))
def test_it_is_torchvisions(dtype: type, seed: int, count: int, most: float) -> None:
    random = np.random.default_rng(seed)
    corners = random.integers(0, 40, (count, 2))
    boxes = np.concatenate([corners, corners + random.integers(1, 30, (count, 2))], 1).astype(dtype)
    scores = random.integers(0, 9, count).astype(dtype) / 8  # many of them the same
    wanted = nms(torch.from_numpy(boxes), torch.from_numpy(scores), most).numpy()
    assert without_overlap(boxes, scores, most).tolist() == wanted.tolist()
