"""What is counted of boxes, and when a detector is better than another."""

import numpy as np
import pytest

from evaluation.detection import NOTHING, Found, detection_change, found_in, overlaps
from udfs.errors import InputError

NONE = np.zeros((0, 4))


def test_faces_are_found_by_boxes_that_overlap_with_them() -> None:
    marked = np.array([[0.0, 0, 50, 50], [100, 0, 120, 20], [200, 0, 250, 50]])
    boxes = np.array([[10.0, 0, 60, 50], [100, 0, 120, 20], [0, 200, 50, 250]])
    np.testing.assert_allclose(overlaps(boxes, marked)[0], [40 / 60, 0, 0])
    # The second face is too small to be wanted, and its box is none of nothing.
    assert found_in(boxes, marked, 40) == Found(true=1, marked=2, false=1, boxes=3)
    assert found_in(NONE, marked, 40) == Found(0, 2, 0, 0)
    assert found_in(boxes, NONE, 40) == Found(0, 0, 3, 3)
    assert (found_in(boxes, marked, 10) + NOTHING).recall == 2 / 3


def of(true: int, false: int = 0) -> Found:
    return Found(true, 10, false, true + false)


@pytest.mark.parametrize(
    ("before", "after", "better", "worse"),
    [
        ([of(5)] * 20, [of(7)] * 20, True, False),
        ([of(7)] * 20, [of(5)] * 20, False, True),
        ([of(7)] * 20, [of(7)] * 20, False, False),
        # Fewer boxes that are no face are a gain as well; more of them are the price of one.
        ([of(7, 2)] * 20, [of(7, 1)] * 20, True, False),
        ([of(5)] * 20, [of(7, 1)] * 20, False, True),
        # One photo of twenty may be chance.
        ([of(7)] * 20, [of(8), *[of(7)] * 19], False, False),
    ],
)
def test_a_detector_is_better_beyond_doubt(before: list[Found], after: list[Found], better: bool, worse: bool) -> None:
    found = detection_change(before, after, 40)
    assert (found.better, found.worse) == (better, worse)
    assert (found.photos, found.faces, found.minimum) == (20, 200, 40)
    assert found.before == pytest.approx(1 - sum(each.true for each in before) / 200)
    assert found.false_after == pytest.approx(sum(each.false for each in after) / 20)
    low, high = found.difference
    assert low <= found.after - found.before <= high


def test_without_a_face_nothing_can_be_said() -> None:
    with pytest.raises(InputError, match="no face of 40 pixels or more is marked in the photos to measure on"):
        detection_change([NOTHING], [NOTHING], 40)
