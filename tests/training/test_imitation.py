"""Pictures are made worse, as was asked and no other way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.imitation import all_worse, worse
from training.plans import Imitation

SIDE = 48


@pytest.fixture
def crop() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)


def detail(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.astype(float), axis=0)).mean())


def test_each_way(crop: np.ndarray) -> None:
    random = np.random.default_rng
    assert np.array_equal(worse(crop, Imitation(), random(1)), crop)
    assert detail(worse(crop, Imitation(size=(8, 8)), random(1))) < 0.3 * detail(crop)
    grey = worse(crop, Imitation(grey=1.0), random(1))
    assert (grey == grey[..., :1]).all()
    flat = np.full((SIDE, SIDE, 3), 120, np.uint8)
    assert worse(flat, Imitation(noise=(8, 8)), random(1)).std() == pytest.approx(8, rel=0.1)
    compressed = worse(crop, Imitation(jpeg=(10, 10)), random(1)).astype(float)
    assert 5 < np.abs(compressed - crop).mean() < 80
    covered = (worse(crop, Imitation(occlusion=1.0), random(1)) == 127).all(2).sum()
    assert (SIDE // 8) ** 2 <= covered <= (SIDE // 2) ** 2


@given(st.integers(0, 50))
def test_a_picture_is_the_same_wherever_it_stands_and_another_with_another_seed(seed: int) -> None:
    crops = np.random.default_rng(5).integers(0, 256, (3, SIDE, SIDE, 3)).astype(np.uint8)
    imitation = Imitation(size=(10, 30), grey=0.5, noise=(2, 9), jpeg=(20, 60), occlusion=0.3)
    made = all_worse(crops, imitation, seed)
    assert made.shape == crops.shape
    assert np.array_equal(made[:2], all_worse(crops[:2], imitation, seed))
    assert not np.array_equal(made, all_worse(crops, imitation, seed + 1))
    assert all_worse(crops, Imitation(), seed) is crops
