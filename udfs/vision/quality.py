"""How usable one face is, from its crop and landmarks."""

import math
from dataclasses import dataclass

import numpy as np

from udfs.vision.detect import Detection

Array = np.ndarray


@dataclass(frozen=True)
class Quality:
    """size: shorter side of the box in pixels of the original picture.
    sharpness: variance of the Laplacian of the crop's luminance, in squared grey levels; blur lowers it.
    brightness: mean luminance of the crop, 0 to 255.
    yaw: how far the nose stands from the middle of the eyes, in eye distances; 0 is frontal.
    roll: the slope of the line through the eyes, degrees.
    """

    size: float
    sharpness: float
    brightness: float
    yaw: float
    roll: float


def quality(crop: Array, face: Detection, scale: float) -> Quality:
    """Measure one face. crop: uint8 (h, w, 3); `scale` takes the face's pixels to those of the original."""
    grey = crop.astype(np.float64) @ (0.299, 0.587, 0.114)
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    left, top, right, bottom = face.box
    eye, other, nose = (complex(*point) for point in face.landmarks[:3])
    across = other - eye
    # The nose in the frame of the eyes: 0 at the left one, 1 at the right one.
    along = ((nose - eye) / across).real if across else 0.5
    return Quality(
        size=float(min(right - left, bottom - top) * scale),
        sharpness=float(laplacian.var()),
        brightness=float(grey.mean()),
        yaw=along - 0.5,
        roll=math.degrees(math.atan2(across.imag, across.real)),
    )
