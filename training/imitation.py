"""Makes pictures worse, so that a network learns from pictures like those it will meet."""

import io

import numpy as np
from PIL import Image

from training.plans import Imitation

Array = np.ndarray

_GREY = 127


def worse(crop: Array, imitation: Imitation, random: np.random.Generator) -> Array:
    """A crop made worse: uint8 (side, side, 3) -> the same shape. First it is made small, then grey, noisy and
    compressed at that size, as by a camera; then it is as large as before, and perhaps partly covered."""
    side = len(crop)
    image = Image.fromarray(np.ascontiguousarray(crop))
    if imitation.size:
        small = int(random.integers(imitation.size[0], imitation.size[1] + 1))
        image = image.resize((small, small), Image.Resampling.BICUBIC)
    if random.random() < imitation.grey:
        image = image.convert("L")
    if imitation.noise:
        image = _noisy(image, float(random.uniform(*imitation.noise)), random)
    if imitation.jpeg:
        image = _compressed(image, int(random.integers(imitation.jpeg[0], imitation.jpeg[1] + 1)))
    large = np.array(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))
    if random.random() < imitation.occlusion:
        _cover(large, random)
    return large


def _noisy(image: Image.Image, deviation: float, random: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, np.float32)
    added = pixels + random.normal(0, deviation, pixels.shape)
    return Image.fromarray(np.clip(added, 0, 255).astype(np.uint8))


def _compressed(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def _cover(pixels: Array, random: np.random.Generator) -> None:
    side = len(pixels)
    covered = int(random.integers(side // 8, side // 2 + 1))
    top, left = random.integers(0, side - covered + 1, 2)
    pixels[top : top + covered, left : left + covered] = _GREY


def all_worse(crops: Array, imitation: Imitation, *seeds: int, first: int = 0) -> Array:
    """All crops made worse, each by its own draw: uint8 (n, side, side, 3). A crop's draw follows from the seeds and
    from its number alone, of which the first crop has `first`."""
    if not imitation.anything:
        return crops
    return np.stack(
        [worse(crop, imitation, np.random.default_rng([*seeds, at])) for at, crop in enumerate(crops, first)]
    )
