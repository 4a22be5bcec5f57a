"""Of boxes that overlap, the best."""

import numpy as np

Array = np.ndarray


def without_overlap(boxes: Array, scores: Array, most: float) -> Array:
    """Greedy non-maximum suppression by intersection over union, as `torchvision.ops.nms` has it.

    boxes: float (n, 4), left, top, right, bottom. scores: (n,). most: a box that shares more with a better one is left
    out. Returns the indices of what is left, the best first; of two with the same score the first is better.
    """
    left, top, right, bottom = boxes.T
    areas = (right - left) * (bottom - top)
    waiting = np.argsort(-scores, kind="stable")
    kept = []
    while len(waiting):
        best, others = waiting[0], waiting[1:]
        kept.append(best)
        across = np.minimum(right[best], right[others]) - np.maximum(left[best], left[others])
        down = np.minimum(bottom[best], bottom[others]) - np.maximum(top[best], top[others])
        shared = np.maximum(across, 0) * np.maximum(down, 0)
        # Of float32 boxes too, the quotient is compared with the whole of `most`, which is seldom a float32 itself.
        waiting = others[shared / (areas[best] + areas[others] - shared) <= np.float64(most)]
    return np.array(kept, np.int64)
