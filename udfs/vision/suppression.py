"""Of boxes that overlap, the best."""

import numpy as np

Array = np.ndarray


def shared_areas(box: Array, boxes: Array) -> Array:
    """The area that a box, float (4,), left, top, right, bottom, has in common with each of others, (n, 4): (n,)."""
    left, top, right, bottom = boxes.T
    across = np.minimum(box[2], right) - np.maximum(box[0], left)
    down = np.minimum(box[3], bottom) - np.maximum(box[1], top)
    shared: Array = np.maximum(across, 0) * np.maximum(down, 0)
    return shared


def overlaps(box: Array, boxes: Array) -> Array:
    """Intersection over union of a box, float (4,), left, top, right, bottom, with each of others, (n, 4): (n,)."""
    left, top, right, bottom = boxes.T
    shared = shared_areas(box, boxes)
    return shared / ((box[2] - box[0]) * (box[3] - box[1]) + (right - left) * (bottom - top) - shared)


def without_overlap(boxes: Array, scores: Array, most: float) -> Array:
    """Greedy non-maximum suppression by intersection over union, as `torchvision.ops.nms` has it.

    boxes: float (n, 4), left, top, right, bottom. scores: (n,). most: a box that shares more with a better one is left
    out. Returns the indices of what is left, the best first; of two with the same score the first is better.
    """
    waiting = np.argsort(-scores, kind="stable")
    kept = []
    while len(waiting):
        best, others = waiting[0], waiting[1:]
        kept.append(best)
        # Of float32 boxes too, the quotient is compared with the whole of `most`, which is seldom a float32 itself.
        waiting = others[overlaps(boxes[best], boxes[others]) <= np.float64(most)]
    return np.array(kept, np.int64)
