"""A network's answer to a question that is always the same: whether it computes here what it computed when it was
declared.
"""

import numpy as np

from udfs.errors import InputError
from udfs.vision.own import OnnxDeclaration
from udfs.vision.runtime import Network

Array = np.ndarray

_VALUES = 16
_DECIMALS = 4
_AGREE = 0.99
"""Cosine of the recorded values and those found here. Measured in bf16: FaceNet 0.99994, MobileFaceNet 0.9997. Another
network, another order of colours or another range of pixels is below 0.93."""


def question(side: int) -> Array:
    """A crop with waves in all directions, by integers alone, so that it is the same everywhere: uint8 (side, side,
    3). The channels differ, so that their order shows."""
    row, column = np.indices((side, side))
    waves = [row + 2 * column, 3 * row - column + 40, (row - side // 2) ** 2 // 9 + (column - side // 2) ** 2 // 5]
    return np.stack([np.abs(wave * 6 % 510 - 255) for wave in waves], axis=-1).astype(np.uint8)


def answer(network: Network, side: int, batch_size: int) -> tuple[float, ...]:
    """The first values of the unit vector that a network makes of the crop, rounded."""
    pixels = np.zeros((batch_size, side, side, 3), np.uint8)
    pixels[0] = question(side)
    vector = network(pixels)[0][0].astype(np.float64)
    return tuple(round(float(value), _DECIMALS) for value in vector[:_VALUES] / np.linalg.norm(vector))


def check(network: Network, own: OnnxDeclaration, batch_size: int) -> None:
    """Make sure that a network answers as it is declared to.

    Raises:
        InputError: it answers something else.
    """
    found, wanted = np.array(answer(network, own.side, batch_size)), np.array(own.answer)
    likeness = found @ wanted / (np.linalg.norm(found) * np.linalg.norm(wanted)) if found.shape == wanted.shape else 0.0
    if not likeness >= _AGREE:  # not-a-number is no agreement either
        raise InputError(
            f"{own.name} does not give its known answer on this machine (cosine {likeness:.3f}, {_AGREE} is wanted);"
            f" its section [models.{own.name}] was changed by hand, or this machine computes it wrongly: declare the"
            " file again with `rollcall models add`, or set vision.precision=fp32"
        )
