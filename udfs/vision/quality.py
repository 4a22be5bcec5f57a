"""How usable one face is, from its crop and landmarks."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from udfs.vision.detect import Detection

Array = np.ndarray

_DARK, _BRIGHT = 8, 247  # grey levels beyond which a pixel shows no more than that


@dataclass(frozen=True)
class Quality:
    """size: shorter side of the box in pixels of the original picture.
    sharpness: variance of the Laplacian of the crop's luminance, in squared grey levels; blur lowers it.
    brightness: mean luminance of the crop, 0 to 255.
    clipped: share of the crop's pixels that are nearly black or white; exposure was wrong there.
    yaw: how far the nose stands from the middle of the eyes, in eye distances; 0 is frontal.
    pitch: how far the nose stands from half-way between eyes and mouth, in shares of that way; 0 is frontal.
    roll: the slope of the line through the eyes, degrees.
    """

    size: float
    sharpness: float
    brightness: float
    clipped: float
    yaw: float
    pitch: float
    roll: float


def quality(crop: Array, face: Detection) -> Quality:
    """Measure one face. crop: uint8 (h, w, 3); `face` is in pixels of the original picture."""
    grey = np.asarray(Image.fromarray(crop).convert("L"))
    level = grey.astype(np.int16)
    laplacian = level[:-2, 1:-1] + level[2:, 1:-1] + level[1:-1, :-2] + level[1:-1, 2:] - 4 * level[1:-1, 1:-1]
    eye, other, nose, mouth_left, mouth_right = (complex(*point) for point in face.landmarks)
    eyes, mouth = (eye + other) / 2, (mouth_left + mouth_right) / 2
    return Quality(
        size=face.side,
        sharpness=float(laplacian.var()),
        brightness=float(grey.mean()),
        clipped=float(((grey < _DARK) | (grey > _BRIGHT)).mean()),
        yaw=_along(nose, eye, other) - 0.5,
        pitch=_along(nose, eyes, mouth) - 0.5,
        roll=math.degrees(math.atan2((other - eye).imag, (other - eye).real)),
    )


def _along(point: complex, start: complex, end: complex) -> float:
    """Where a point stands on the way from start (0) to end (1)."""
    return ((point - start) / (end - start)).real if end != start else 0.5
