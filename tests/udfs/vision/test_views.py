import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from udfs.vision.detect import Detection
from udfs.vision.views import Level, View, levels, merged, whole

SCALE, SIDE = 0.5, 2048
SMALLEST = 20.0

sides = st.integers(1, 12_000)


def of(size: tuple[int, int], finest: float = SCALE, smallest: float = SMALLEST) -> list[Level]:
    return levels(size, scale=SCALE, finest=finest, maximum_side=SIDE, smallest=smallest)


def face(x: float, y: float, side: float, height: float | None = None) -> Detection:
    """By its middle."""
    half, down = side / 2, (height or side) / 2
    return Detection(np.array([x - half, y - down, x + half, y + down]), np.zeros((5, 2)), 0.9)


@given(sides, sides)
def test_a_picture_is_seen_whole_first_and_at_last_in_the_size_that_is_needed(width: int, height: int) -> None:
    found = of((width, height))
    assert len(found[0].views) == 1
    assert max(found[0].whole) <= SIDE * SCALE
    assert found[-1].whole == tuple(max(1, round(side * SCALE)) for side in (width, height))
    assert (len(found) == 1) == (max(width, height) <= SIDE)
    for coarse, fine in itertools.pairwise(found):
        assert 1 <= max(fine.whole) / max(coarse.whole) < 4.02


@given(sides, sides, st.data())
def test_every_face_is_whole_in_one_view_or_large_enough_for_the_level_before(
    width: int, height: int, data: st.DataObject
) -> None:
    found = of((width, height))
    for coarse, fine in itertools.pairwise(found):
        # Nearer to the edge, the middle of a box around it is the edge itself, when it is rounded.
        x, y = (data.draw(st.floats(0, side - 1e-6)) for side in fine.whole)
        largest = fine.views[0].largest
        assert largest * max(coarse.whole) / max(fine.whole) >= SMALLEST * 1.45
        (view,) = [view for view in fine.views if view.own([face(x - view.left, y - view.top, 1)])]
        # It reaches beyond the view only where it reaches out of the picture.
        half = largest / 2 - 1  # less what rounding moves the views by
        assert view.left <= max(0, x - half)
        assert view.top <= max(0, y - half)
        assert min(fine.whole[0], x + half) <= view.left + view.size[0]
        assert min(fine.whole[1], y + half) <= view.top + view.size[1]


@given(sides, sides)
def test_views_of_a_level_have_one_size_that_a_detector_can_hold(width: int, height: int) -> None:
    for level in of((width, height)):
        assert len({view.size for view in level.views}) == 1
        assert max(level.views[0].size) <= SIDE * SCALE
        for view in level.views:
            assert 0 <= view.left <= level.whole[0] - view.size[0]
            assert 0 <= view.top <= level.whole[1] - view.size[1]


@given(sides, sides, st.floats(1, 2000))
def test_large_faces_that_are_wanted_alone_make_few_views(width: int, height: int, smallest: float) -> None:
    for level in of((width, height), smallest=smallest):
        assert len(level.views) <= (4 * max(1, max(level.whole) / (SIDE * SCALE)) + 2) ** 2


def test_a_face_that_a_view_sees_the_edge_of_is_another_views() -> None:
    level = of((4000, 3000))[-1]
    view = level.views[0]
    assert level.whole == (2000, 1500)
    found = view.own([face(100, 100, 40), face(view.size[0] - 10, 100, 40), face(100, 100, view.largest + 1)])
    assert [one.side for one in found] == [40]


def test_what_a_view_shows_is_the_picture_at_its_scale() -> None:
    x, y = np.meshgrid(np.arange(3000), np.arange(2600))
    picture = Image.fromarray(np.dstack([x // 12, y // 12, x // 12]).astype(np.uint8))
    for level in of(picture.size):
        across, down = level.whole
        for view in level.views:
            seen = view.seen(picture)
            assert seen.shape == (view.size[1], view.size[0], 3)
            columns = (view.left + np.arange(view.size[0])) * 3000 / across / 12
            rows = (view.top + np.arange(view.size[1])) * 2600 / down / 12
            assert np.abs(seen[..., 0] - columns[None]).max() < 1.1
            assert np.abs(seen[..., 1] - rows[:, None]).max() < 1.1


def test_a_picture_that_could_not_be_decoded_finely_enough_is_searched_as_it_is() -> None:
    assert of((40_000, 20_000), finest=0.125)[-1].whole == (5000, 2500)
    assert [level.whole for level in of((4000, 3000), finest=0.125)] == [(500, 375)]


def test_a_small_picture_is_one_view_of_all_its_pixels() -> None:
    picture = Image.new("RGB", (301, 200))
    (view,) = whole(picture.size, 1.0, SIDE).views
    assert view.seen(picture).shape == (200, 301, 3)
    assert isinstance(view, View)


def test_a_face_counts_once_as_the_coarsest_level_has_it_that_shows_it_well() -> None:
    coarse, cheek, other = face(500, 500, 200, 260), face(480, 540, 60), face(900, 500, 60)
    again = face(505, 498, 190, 250)
    assert merged([([coarse], 120), ([again, other], 60), ([cheek, face(902, 500, 62)], 0)]) == [coarse, other]
    assert merged([([], 0)]) == []


def test_a_face_that_a_coarse_level_hardly_sees_is_as_a_finer_one_has_it() -> None:
    inflated, right, alone = face(500, 500, 100), face(510, 490, 50), face(100, 100, 90)
    assert merged([([inflated, alone], 120), ([right], 0)]) == [alone, right]
