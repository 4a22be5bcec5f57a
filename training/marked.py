"""What a network sees of photos with boxes while it is trained: all of one, or a square that is drawn larger or
smaller, mirrored, darker or brighter."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from training.plans import DetectorPlan
from udfs.vision.marked import MarkedPhoto, opened

Array = np.ndarray

_MULTIPLE = 32
_LARGEST = 1024
"""Pixels of the longer side of a photo that is seen whole."""
_AT_A_FACE = 0.8
"""How often a square is drawn around a face, and not anywhere: in many photos most of it is background."""


@dataclass(frozen=True)
class View:
    """What a network sees: uint8 (rows, columns, 3), black beyond the photo; and the boxes in its pixels."""

    pixels: Array
    boxes: Array


def whole(photo: MarkedPhoto, scale: float) -> View:
    """All of a photo at a scale; of a very large one at a smaller scale."""
    whole_photo = opened(photo)
    image, boxes = whole_photo.image, whole_photo.boxes
    scale = min(scale, _LARGEST / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    seen = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))
    canvas = np.zeros((_up(height), _up(width), 3), np.uint8)
    canvas[:height, :width] = seen
    x, y = width / image.width, height / image.height
    return View(canvas, boxes * (x, y, x, y))


def drawn(photo: MarkedPhoto, plan: DetectorPlan, random: np.random.Generator) -> View:
    """A square of a photo, at a scale that is drawn, perhaps mirrored, in another light."""
    whole_photo = opened(photo)
    image, boxes = whole_photo.image, whole_photo.boxes
    scale = plan.scale * float(np.exp(random.uniform(*np.log(plan.zoom))))
    left, top = _corner(image.size, boxes, scale, plan, random)
    span = plan.side / scale
    right, bottom = min(image.width, round(left + span)), min(image.height, round(top + span))
    size = [min(plan.side, max(1, round(length * scale))) for length in (right - left, bottom - top)]
    region = image.crop((left, top, right, bottom)).resize((size[0], size[1]), Image.Resampling.BILINEAR)
    canvas = np.zeros((plan.side, plan.side, 3), np.uint8)
    canvas[: size[1], : size[0]] = _in_light(np.asarray(region), plan.light, random)
    x, y = size[0] / (right - left), size[1] / (bottom - top)
    moved = (boxes - (left, top, left, top)) * (x, y, x, y)
    if random.random() < 0.5:
        canvas = np.ascontiguousarray(canvas[:, ::-1])
        moved = np.stack([plan.side - moved[:, 2], moved[:, 1], plan.side - moved[:, 0], moved[:, 3]], 1)
    return View(canvas, moved)


def _corner(
    size: tuple[int, int], boxes: Array, scale: float, plan: DetectorPlan, random: np.random.Generator
) -> tuple[int, int]:
    """Left and top of the square, in pixels of the photo."""
    span = plan.side / scale
    most = [max(0.0, length - span) for length in size]
    place = random.random(2)
    able = boxes[np.minimum(*(boxes[:, 2:] - boxes[:, :2]).T) * scale >= plan.smallest]
    if len(able) and random.random() < _AT_A_FACE:
        box = able[random.integers(len(able))]
        middle = (box[:2] + box[2:]) / 2
        wanted = middle - span * (0.1 + 0.8 * place)
    else:
        wanted = most * place
    left, top = (int(min(max(0.0, at), end)) for at, end in zip(wanted, most, strict=True))
    return left, top


def _in_light(pixels: Array, light: float, random: np.random.Generator) -> Array:
    """Brighter or darker, in all colours and a little in each; and with more or less contrast in the dark."""
    gain = np.exp(random.uniform(-light, light)) * np.exp(random.uniform(-light, light, 3) / 4)
    power = np.exp(random.uniform(-light, light) / 2)
    levels = 255 * (np.arange(256) / 255) ** power
    of_level = np.clip(np.round(levels[:, None] * gain), 0, 255).astype(np.uint8)
    return np.stack([of_level[pixels[..., channel], channel] for channel in range(3)], axis=-1)


def _up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE
