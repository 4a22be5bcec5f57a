"""Faces that lie on their side or stand on their head: turned, as embedders know faces that stand upright.

A detector finds most of them, but its landmarks are those of a face it has hardly ever seen. So the face is turned by
what the landmarks say, and by eighths of a circle more, and looked for again in each: where it stands upright it is
found with the highest score. Up to 40 degrees nothing is done: embedders were trained on such faces (measured on LFW:
a similarity to the upright photo of .97 at 15 degrees, .95 at 30, .86 at 45, .49 at 90).
"""

import cmath
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from udfs.vision.crops import turned
from udfs.vision.detect import Detection, Detector

Array = np.ndarray

_LEANS = 40.0  # degrees of the line through the eyes
_WIDE = (
    1.0  # times as wide as high: no box of an upright face is, and those of lying ones are, whatever their landmarks
)
_WINDOW, _SHOWN = 160, 80  # pixels of the sides of a window, and of the face in it
_STEP = 45  # degrees between windows
_NEAR = 20  # pixels between the middle of the window and that of the face
_AROUND = 2.4  # sides of the face that its picture has

RULE = {
    "name": "turned",
    "revision": 1,
    "leans": _LEANS,
    "wide": _WIDE,
    "window": _WINDOW,
    "shown": _SHOWN,
    "step": _STEP,
    "near": _NEAR,
}


@dataclass(frozen=True)
class Turned:
    """A face as it lies in its picture, and the same in a picture of its own, in which it stands upright."""

    face: Detection
    image: Image.Image
    upright: Detection


def roll(face: Detection) -> float:
    """The slope of the line through the eyes, in degrees: positive if the head leans to the right, as seen."""
    eyes = complex(*(face.landmarks[1] - face.landmarks[0]))
    return math.degrees(cmath.phase(eyes))


def stood_up(detector: Detector, image: Image.Image, face: Detection) -> Turned | None:
    """The face turned upright, if it leans, and is found again when it stands.

    image: the picture; face: in its pixels.
    """
    if not _may_lean(face):
        return None
    middle = _middle(face)
    scale = max(face.box[2] - face.box[0], face.box[3] - face.box[1]) / _SHOWN
    steps = [cmath.rect(scale, math.radians(roll(face) + quarter)) for quarter in range(0, 360, _STEP)]
    windows = np.zeros((len(steps), *detector.canvas(_WINDOW, _WINDOW), 3), np.uint8)
    half = complex(_WINDOW, _WINDOW) / 2
    for window, step in zip(windows, steps, strict=True):
        window[:_WINDOW, :_WINDOW] = turned(image, _WINDOW, middle, half, step)
    seen = [
        (found.score, step, found)
        for step, of_window in zip(steps, detector.detect(windows), strict=True)
        for found in of_window
        if abs(_middle(found) - half) <= _NEAR and abs(roll(found)) <= _LEANS
    ]
    if not seen:
        return None
    _, step, found = max(seen, key=lambda candidate: candidate[0])
    return _turned_by(image, middle, half, step, found)


def _may_lean(face: Detection) -> bool:
    left, top, right, bottom = face.box
    return bool(abs(roll(face)) > _LEANS or right - left > _WIDE * (bottom - top))


def _turned_by(image: Image.Image, middle: complex, half: complex, step: complex, found: Detection) -> Turned:
    """A face that was found in a window, of which `half` is `middle` of the picture, one pixel `step` of its pixels."""
    points = middle + step * (found.landmarks @ (1, 1j) - half)
    centre = middle + step * (_middle(found) - half)
    width, height = (abs(step) * float(found.box[at + 2] - found.box[at]) for at in (0, 1))
    upright_step = cmath.exp(1j * (cmath.phase(step) + math.radians(roll(found))))
    size = (height, width) if _lies(upright_step) else (width, height)
    lying = Detection(_box(centre, *size), _xy(points), found.score)
    return _on_its_own(image, lying, points, centre, (width, height), upright_step)


def as_it_stood(image: Image.Image, face: Detection) -> Turned:
    """A face that was turned, out of the same picture and what was kept of it: as it lies there."""
    step = cmath.exp(1j * math.radians(roll(face)))
    width, height = (float(face.box[at + 2] - face.box[at]) for at in ((1, 0) if _lies(step) else (0, 1)))
    return _on_its_own(image, face, face.landmarks @ (1, 1j), _middle(face), (width, height), step)


def _on_its_own(
    image: Image.Image, face: Detection, points: Array, centre: complex, size: tuple[float, float], step: complex
) -> Turned:
    """step: by which the picture is turned, so that the face stands; size: its width and height then."""
    side = max(1, math.ceil(_AROUND * max(size)))
    half = complex(side, side) / 2
    own = Image.fromarray(turned(image, side, centre, half, step))
    upright = Detection(_box(half, *size), _xy(half + (points - centre) / step), face.score)
    return Turned(face, own, upright)


def _lies(step: complex) -> bool:
    """Whether a face that is turned by this lies on its side rather than stands, on its feet or its head."""
    return abs(math.sin(cmath.phase(step))) > math.sqrt(0.5)


def _middle(face: Detection) -> complex:
    left, top, right, bottom = face.box
    return complex(left + right, top + bottom) / 2


def _box(middle: complex, width: float, height: float) -> Array:
    half_width, half_height = width / 2, height / 2
    x, y = middle.real, middle.imag
    return np.array([x - half_width, y - half_height, x + half_width, y + half_height])


def _xy(points: Array) -> Array:
    return np.stack([points.real, points.imag], axis=1)
