"""Crops: from a detected face to the square of pixels an embedder was trained on."""

import math

import numpy as np
from PIL import Image

from udfs.vision.detect import Detection

Array = np.ndarray


def margin_crop(image: Image.Image, face: Detection, *, size: int, margin: int) -> Array:
    """The box with a margin, resized to a square: the rule of facenet-pytorch (`extract_face`).

    The margin is in pixels of the crop: a `margin` of 14 leaves 7 of `size` pixels on each side.

    Returns: uint8 (size, size, 3).
    """
    left, top, right, bottom = face.box
    across = margin * (right - left) / (size - margin) / 2
    down = margin * (bottom - top) / (size - margin) / 2
    x0, y0 = int(max(left - across, 0)), int(max(top - down, 0))
    x1, y1 = int(min(right + across, image.width)), int(min(bottom + down, image.height))
    # A box that lies outside the picture still gives one pixel of it.
    x0, y0 = min(x0, image.width - 1), min(y0, image.height - 1)
    x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
    return np.asarray(image.crop((x0, y0, x1, y1)).resize((size, size), Image.Resampling.BILINEAR))


# Where dlib's mean face (its 5-point model, padding 0.25) has the eyes, as shares of the chip's side.
_DLIB_EYES = np.array([[0.318220, 0.314264], [0.668543, 0.314155]])


def eyes_crop(image: Image.Image, face: Detection, *, size: int) -> Array:
    """Turn, scale and shift the picture so that the eyes stand where dlib's mean face has them.

    Returns: uint8 (size, size, 3); black where the chip reaches beyond the picture.
    """
    eyes = face.landmarks[:2]
    wanted = _DLIB_EYES * size
    step = complex(*(eyes[1] - eyes[0])) / complex(*(wanted[1] - wanted[0]))
    return turned(image, size, complex(*eyes[0]), complex(*wanted[0]), step)


# Where the faces that ArcFace's family of networks are trained on have eyes, nose and mouth, in 112 pixels.
_ARCFACE_112 = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def arcface_crop(image: Image.Image, face: Detection, *, size: int) -> Array:
    """Turn, scale and shift the picture so that the five landmarks come nearest to where ArcFace's networks expect
    them: the similarity of least squares (Umeyama 1991; insightface's `norm_crop`).

    Returns: uint8 (size, size, 3); black where the crop reaches beyond the picture.
    """
    found = face.landmarks @ (1, 1j)
    wanted = _ARCFACE_112 @ (1, 1j) * (size / 112)
    middle, wanted_middle = found.mean(), wanted.mean()
    spread = found - middle
    turn = np.vdot(spread, wanted - wanted_middle) / np.vdot(spread, spread)  # crop pixels a source pixel
    return turned(image, size, complex(middle), complex(wanted_middle), 1 / complex(turn))


def turned(image: Image.Image, size: int, point: complex, wanted: complex, step: complex) -> Array:
    """A square of a picture, in which `point` stands where it is wanted. step: source pixels a pixel of the square, as
    a complex number, which turns as well."""
    # Sampling fewer than every second pixel would alias: shrink the picture first.
    reduce = max(1, math.floor(abs(step)))
    if reduce > 1:
        image = image.reduce(reduce)
        point, step = point / reduce, step / reduce
    offset = point - step * wanted
    turn = (step.real, -step.imag, offset.real, step.imag, step.real, offset.imag)
    return np.asarray(image.transform((size, size), Image.Transform.AFFINE, turn, Image.Resampling.BILINEAR))
