import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.vision.summed_area import SummedAreas


def pictures(seed: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (2, height, width, 3), np.uint8)


def by_torch(part: np.ndarray, height: int, width: int) -> np.ndarray:
    x = torch.from_numpy(part.copy()).permute(0, 3, 1, 2).double()
    return torch.nn.functional.interpolate(x, size=(height, width), mode="area").permute(0, 2, 3, 1).numpy()


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 60), st.integers(1, 60), st.integers(0, 5))
@settings(max_examples=60)
def test_whole_pictures(rows: int, columns: int, height: int, width: int, seed: int) -> None:
    given_pictures = pictures(seed, rows, columns)
    found = SummedAreas(given_pictures).resized(height, width)
    assert np.abs(found - by_torch(given_pictures, height, width)).max() < 1e-3


@given(st.data())
@settings(max_examples=60)
def test_parts(data: st.DataObject) -> None:
    of = pictures(data.draw(st.integers(0, 5)), 40, 30)
    left, top = data.draw(st.integers(0, 29)), data.draw(st.integers(0, 39))
    right, bottom = data.draw(st.integers(left + 1, 30)), data.draw(st.integers(top + 1, 40))
    picture, side = data.draw(st.integers(0, 1)), data.draw(st.sampled_from([12, 24]))
    boxes = np.array([[left, top, right, bottom], [0, 0, 30, 40]])
    found = SummedAreas(of).crops(np.array([picture, 1 - picture]), boxes, side)
    assert np.abs(found[:1] - by_torch(of[picture : picture + 1, top:bottom, left:right], side, side)).max() < 1e-3
    assert np.abs(found[1:] - by_torch(of[1 - picture : 2 - picture], side, side)).max() < 1e-3
