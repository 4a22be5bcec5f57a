"""1:1 verification on labelled pairs of images, in the format of LFW's view 1.

Huang et al. 2007, "Labeled Faces in the Wild", section 3: `NAME A B` is a mated pair, `NAME A OTHER B` a
non-mated one; the first line counts the pairs of each kind.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from udfs.errors import InputError

Array = np.ndarray


@dataclass(frozen=True)
class Pair:
    """Two images as `NAME/NAME_0001.jpg`, and whether they show one person."""

    left: str
    right: str
    mated: bool


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a file of LFW's development view.

    Raises:
        InputError: a line that is no pair; the line is named.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = []
    for number, line in enumerate(lines[1:], start=2):
        match line.split("\t"):
            case [name, left, right] if left.isdigit() and right.isdigit():
                pairs.append(Pair(_image(name, left), _image(name, right), mated=True))
            case [name, left, other, right] if left.isdigit() and right.isdigit():
                pairs.append(Pair(_image(name, left), _image(other, right), mated=False))
            case _:
                raise InputError(f"{path}: line {number}: not `NAME A B` nor `NAME A OTHER B`, tab-separated")
    return pairs


def _image(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"


def best_accuracy(scores: Array, mated: Array) -> tuple[float, float]:
    """The highest accuracy that any threshold reaches, and the lowest such threshold.

    A pair is accepted when its score is at or above the threshold. scores: float (n,); mated: bool (n,).

    Raises:
        ValueError: no pairs, or only of one kind.
    """
    if len(scores) == 0 or mated.all() or not mated.any():
        raise ValueError("accuracy needs mated and non-mated pairs")
    order = np.argsort(-scores, kind="stable")
    scores, mated = scores[order], mated[order]
    right = np.cumsum(np.where(mated, 1, -1)) + np.count_nonzero(~mated)
    whole = np.append(scores[1:] != scores[:-1], True)  # a threshold cannot part equal scores
    best = int(np.argmax(np.where(whole, right, -1)))
    return float(right[best] / len(scores)), float(scores[best])
