"""Labelled pairs of images in the format of LFW.

Huang et al. 2007, "Labeled Faces in the Wild", section 3 and 4: `NAME A B` is a mated pair, `NAME A OTHER B` a
non-mated one. In view 1 the first line counts the pairs of each kind; in view 2 it has the number of folds before
that, and each fold has so many of each kind, mated first.
"""

import re
from dataclasses import dataclass

from udfs.errors import InputError


@dataclass(frozen=True)
class Pair:
    """Two images as `NAME/NAME_0001.jpg`, who they show, and the fold they are in, from 0."""

    left: str
    right: str
    left_person: str
    right_person: str
    fold: int

    @property
    def mated(self) -> bool:
        """Whether both show one person."""
        return self.left_person == self.right_person


def read_pairs(text: str, name: str) -> list[Pair]:
    """The pairs of a file of either view; `name` is the file's, for messages.

    Raises:
        InputError: a line that is not a pair, or another number of pairs than the first line says. It names the line.
    """
    lines = text.rstrip().splitlines()
    match lines[0].split("\t") if lines else []:
        case [each] if is_number(each):
            folds, of_kind = 1, int(each)
        case [count, each] if is_number(count) and is_number(each):
            folds, of_kind = int(count), int(each)
        case _:
            raise InputError(
                f"{name}: line 1 must be the number of pairs, or the numbers of folds and pairs, tab-separated"
            )
    if len(lines) - 1 != 2 * folds * of_kind:
        raise InputError(
            f"{name}: line 1 promises {2 * folds * of_kind:,} pairs, and {len(lines) - 1:,} lines follow; correct line"
            " 1, or the lines after it"
        )
    pairs = []
    for number, line in enumerate(lines[1:]):
        fold, place = divmod(number, 2 * of_kind)
        match line.split("\t"):
            case [person, left, right] if place < of_kind and person and is_number(left) and is_number(right):
                pairs.append(Pair(_image(person, left), _image(person, right), person, person, fold))
            case [person, left, other, right] if (
                (place >= of_kind and person and other and person != other) and is_number(left) and is_number(right)
            ):
                pairs.append(Pair(_image(person, left), _image(other, right), person, other, fold))
            case _:
                wanted = (
                    "`NAME A B`: a person and the numbers of two photos"
                    if place < of_kind
                    else "`NAME A OTHER B`: two persons, each with the number of a photo"
                )
                raise InputError(f"{name}: line {number + 2} must be {wanted}, separated by tabs")
    return pairs


def is_number(text: str) -> bool:
    """Whether a text is a number from 0 in at most nine plain digits."""
    return re.fullmatch("[0-9]{1,9}", text) is not None


def _image(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"
