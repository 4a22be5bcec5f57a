"""Photos on which faces are marked by boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from udfs import lake
from udfs.errors import InputError
from udfs.vision.decode import Limits, Undecoded, judged
from udfs.vision.rejection import RejectedError

Array = np.ndarray

_LIMITS = Limits(minimum_side=1, maximum_side=2048, maximum_pixels=100_000_000, memory=536_870_912, most_reduced=1)
"""They are decoded as any picture is, and reduced only where they would not fit."""


@dataclass(frozen=True)
class MarkedPhoto:
    """name: as the boxes name it. uri: where it is. boxes: of its faces, float64 (n, 4), left, top, right, bottom in
    the pixels of the upright picture."""

    name: str
    uri: str
    boxes: Array


@dataclass(frozen=True)
class OpenedPhoto:
    """The picture, and the boxes in its pixels, which are fewer than the photo's where it is very large."""

    image: Image.Image
    boxes: Array


def checked(photo: MarkedPhoto) -> Undecoded:
    """A photo whose boxes are inside it, before it is decoded.

    Raises:
        InputError: it cannot be read, or a box is not inside it.
    """
    try:
        undecoded = judged(lake.read_anything(photo.uri), _LIMITS)
    except RejectedError as error:
        raise _unusable(photo, error) from error
    width, height = undecoded.size
    for left, top, right, bottom in photo.boxes:
        if left < 0 or top < 0 or right > width or bottom > height:
            raise InputError(
                f"{photo.name}: the box from ({left:g}, {top:g}) to ({right:g}, {bottom:g}) is not inside the picture,"
                f" which has {width} x {height} pixels when it stands upright; correct the box"
            )
    return undecoded


def opened(photo: MarkedPhoto) -> OpenedPhoto:
    """The same, decoded.

    Raises:
        InputError: as of `checked`.
    """
    undecoded = checked(photo)
    try:
        picture = undecoded.decoded()
    except RejectedError as error:
        raise _unusable(photo, error) from error
    x, y = picture.image.width / picture.width, picture.image.height / picture.height
    return OpenedPhoto(picture.image, photo.boxes * (x, y, x, y))


def _unusable(photo: MarkedPhoto, error: RejectedError) -> InputError:
    return InputError(f"{photo.uri}: {error}; repair it, or take its boxes out of the list")


def documents(photos: Sequence[MarkedPhoto]) -> list[dict[str, Any]]:
    """As JSON has them."""
    return [{"name": photo.name, "uri": photo.uri, "boxes": photo.boxes.tolist()} for photo in photos]


def of_documents(held: Sequence[dict[str, Any]]) -> list[MarkedPhoto]:
    """Back from JSON."""
    return [MarkedPhoto(each["name"], each["uri"], np.array(each["boxes"], np.float64).reshape(-1, 4)) for each in held]
