"""What is drawn of photos with boxes: the boxes stay around what they mark."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.marked import squares
from training.marked import View, drawn, whole
from training.plans import DetectorPlan
from udfs import lake
from udfs.errors import InputError
from udfs.vision.marked import MarkedPhoto, checked, documents, of_documents, opened

Array = np.ndarray
PLAN = DetectorPlan(scale=1.0, side=64, zoom=(0.7, 1.4), light=0.3, smallest=12)


def bright(view: View) -> Array:
    """Left, top, right, bottom of what is bright."""
    level = view.pixels.astype(np.float64).mean(2)
    rows, columns = np.nonzero(level > 0.6 * level.max())
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float64)


def test_boxes_follow_what_they_mark(tmp_path: Path) -> None:
    photos, whole_ones = squares(tmp_path, 40), 0
    for at, photo in enumerate(photos):
        view = drawn(photo, PLAN, np.random.default_rng(at))
        assert view.pixels.shape == (64, 64, 3)
        (box,) = view.boxes
        if (box >= 0).all() and (box <= 64).all():
            whole_ones += 1
            np.testing.assert_allclose(bright(view), box, atol=1.6)
    assert whole_ones > 15
    seen = whole(photos[0], 0.5)
    assert seen.pixels.shape == (64, 64, 3)  # 36 x 40, up to multiples of 32
    np.testing.assert_allclose(seen.boxes, photos[0].boxes / 2)


def test_the_same_draw_shows_the_same(tmp_path: Path) -> None:
    (photo,) = squares(tmp_path, 1)
    one, again, other = (drawn(photo, PLAN, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(one.pixels, again.pixels)
    assert np.array_equal(one.boxes, again.boxes)
    assert not np.array_equal(one.pixels, other.pixels)


def test_photos_are_checked_before_they_are_learnt_from(tmp_path: Path) -> None:
    (photo,) = squares(tmp_path, 1)
    assert opened(photo).image.size == (80, 72)
    beyond = MarkedPhoto(photo.name, photo.uri, np.array([[70.0, 10, 81, 20]]))
    with pytest.raises(InputError, match=r"0-0.png: the box from \(70, 10\) to \(81, 20\) is not inside .* 80 x 72"):
        checked(beyond)
    (tmp_path / "no.png").write_bytes(b"no picture")
    damaged = MarkedPhoto("no.png", lake.uri_of(str(tmp_path / "no.png")), photo.boxes)
    with pytest.raises(InputError, match=r"no.png: not_an_image.*; repair it, or take its boxes out of the list"):
        checked(damaged)


def test_photos_are_kept_as_json(tmp_path: Path) -> None:
    photos = [*squares(tmp_path, 2), MarkedPhoto("empty", "file:///empty", np.zeros((0, 4)))]
    for one, other in zip(photos, of_documents(documents(photos)), strict=True):
        assert (one.name, one.uri) == (other.name, other.uri)
        assert np.array_equal(one.boxes, other.boxes)
        assert other.boxes.shape[1] == 4
