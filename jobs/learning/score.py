"""What a score means: after training, as many boxes reach the score of the settings as before.

A loss has no reason to leave scores where they were. Were they all a little lower, fewer faces would be found at the
same score, though the detector tells faces from other things as well as before, or better.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from udfs.vision.centerface import CenterFace
from udfs.vision.finding import ViewSearch
from udfs.vision.marked import MarkedPhoto, opened
from udfs.vision.spec import VisionSpec
from udfs.vision.tensors import Tensors, WeightsSource

Array = np.ndarray

_LEAST = 0.05
"""Boxes of a lower score are not looked at."""
_BIAS = "outputs.0.bias"
"""Of the heat map."""


def with_same_score(
    parent: WeightsSource, child: Tensors, photos: Sequence[MarkedPhoto], spec: VisionSpec, score: float
) -> tuple[Tensors, float]:
    """The weights, with a heat map that is shifted so that in some photos as many boxes reach the score as by the
    parent's; and by how much, as logarithm of the odds. photos: not those that were learnt from, of which it
    is surer than of any others."""
    wanted, scores = (_scores(of, photos, spec) for of in (parent, WeightsSource(None, lambda: child)))
    shift = _shift(scores, int((wanted >= score).sum()), score)
    return {**child, _BIAS: child[_BIAS] + shift}, shift


def _shift(scores: Array, count: int, score: float) -> float:
    """By which the logarithms of the odds are to be raised, so that so many scores reach `score`."""
    odds = np.sort(_log_odds(np.clip(scores, 1e-6, 1 - 1e-6)))[::-1]
    if count == 0 or count > len(odds):
        return 0.0
    after = odds[count] if count < len(odds) else odds[count - 1]
    return float(_log_odds(np.array(score)) - (odds[count - 1] + after) / 2)


def _scores(weights: WeightsSource, photos: Sequence[MarkedPhoto], spec: VisionSpec) -> Array:
    """Of all boxes, by one look each."""
    low = replace(spec, detection_score=_LEAST)
    search = ViewSearch(CenterFace(low, weights), low, lambda _canvas: 1)
    return np.array([face.score for photo in photos for face in search.faces(opened(photo).image)])


def _log_odds(share: Array) -> Array:
    return np.log(share / (1 - share))
