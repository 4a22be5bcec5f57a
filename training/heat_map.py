"""What CenterFace is to say of a picture, and how far it is from it.

Zhou et al. 2019, "Objects as Points": a heat map with a Gaussian at the middle of each object, learnt by the focal loss
of Law and Deng 2018 (CornerNet); sizes and offsets by L1 at the middles alone. Xu et al. 2020, "CenterFace": sizes as
logarithms, and landmarks.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from udfs.vision.centerface_net import CenterFaceNet

Array = np.ndarray
Tensor = torch.Tensor

STRIDE = 4
"""Pixels of a cell of the heat map."""
_SPREAD = 0.15
"""Standard deviation of the Gaussian of a face, of its side. With a tenth, which the program of the first paper comes
to, scores fell: beside the middle less was allowed than CenterFace says."""
_ALPHA, _BETA = 2, 4
_CERTAIN = 0.3
"""How sure the parent must be of a face, so that its landmarks are kept."""


@dataclass(frozen=True)
class Targets:
    """Of one picture. heat: float32 (rows, columns), 1 at the middle of each face. counts: bool, the same shape: where
    the heat map is judged; not where faces are too small. cells: int64 (n, 2), row and column of each middle. size:
    float32 (n, 2), the logarithms of height and width in cells. offset: float32 (n, 2), down and to the right, from the
    middle of the cell. side: float32 (n,), the geometric mean of height and width in pixels."""

    heat: Array
    counts: Array
    cells: Array
    size: Array
    offset: Array
    side: Array


def targets(shape: tuple[int, int], boxes: Array, smallest: float) -> Targets:
    """What is to be said of a picture with so many rows and columns of pixels. boxes: float64 (n, 4), left, top, right,
    bottom. Faces whose middle is not in it are none; where one is cut off or too small, nothing is judged."""
    rows, columns = shape[0] // STRIDE, shape[1] // STRIDE
    heat, counts = np.zeros((rows, columns), np.float32), np.ones((rows, columns), bool)
    sides = boxes[:, 2:] - boxes[:, :2]
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2 / STRIDE
    inside = (middle >= 0).all(1) & (middle < (columns, rows)).all(1)
    learnt = inside & (sides.min(1) >= smallest)
    for left, top, right, bottom in (boxes[~learnt] // STRIDE).astype(np.int64):
        counts[max(0, top) : max(0, bottom + 1), max(0, left) : max(0, right + 1)] = False
    y, x = np.mgrid[:rows, :columns]
    cells = middle[learnt].astype(np.int64)[:, ::-1]
    side = np.sqrt(sides[learnt].prod(1))
    for (row, column), deviation in zip(cells, _SPREAD * side / STRIDE, strict=True):
        near = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * deviation**2))
        heat = np.maximum(heat, near.astype(np.float32))
    counts[cells[:, 0], cells[:, 1]] = True
    size = np.log(sides[learnt] / STRIDE)[:, ::-1]
    offset = middle[learnt][:, ::-1] - cells - 0.5
    return Targets(heat, counts, cells, *(each.astype(np.float32) for each in (size, offset, side)))


def focal(logits: Tensor, heat: Tensor, counts: Tensor) -> Tensor:
    """The focal loss of a heat map, summed: float (any shape), the same, bool the same."""
    sure = logits.sigmoid()
    face = heat == 1
    of_faces = (1 - sure) ** _ALPHA * -functional.logsigmoid(logits)
    elsewhere = (1 - heat) ** _BETA * sure**_ALPHA * -functional.logsigmoid(-logits)
    return torch.where(face, of_faces, elsewhere)[counts].sum()


@dataclass(frozen=True)
class Losses:
    """Summed over the faces of a batch; faces: how many these are."""

    heat: Tensor
    size: Tensor
    offset: Tensor
    landmarks: Tensor
    faces: int

    def a_face(self, landmarks: float) -> Tensor:
        """All of them together, a face. landmarks: how much these count."""
        total: Tensor = self.heat + self.size + self.offset + landmarks * self.landmarks
        return total / max(1, self.faces)


def losses(
    network: CenterFaceNet,
    features: Tensor,
    wanted: list[Targets],
    parent: tuple[CenterFaceNet, Tensor] | None = None,
) -> Losses:
    """How far a network is from what is wanted. features: float32 (n, 24, rows, columns). parent: the network it was
    trained from, with its features of the same pictures; landmarks are to stay where it sees them. Without it they do
    not count."""
    heat, counts = (torch.from_numpy(np.stack([getattr(each, of) for each in wanted])) for of in ("heat", "counts"))
    cells = _cells(wanted)
    size, offset, side = (
        torch.from_numpy(np.concatenate([getattr(each, of) for each in wanted])) for of in ("size", "offset", "side")
    )
    said = Said.of(network, features, cells)
    return Losses(
        focal(network.outputs[0](features)[:, 0], heat, counts),
        (said.size - size).abs().sum(),
        (said.offset - offset).abs().sum(),
        _moved(said, Said.of(*parent, cells), side) if parent else torch.zeros(()),
        len(side),
    )


Cells = tuple[Tensor, Tensor, Tensor]
"""Picture, row and column of each."""


@dataclass(frozen=True)
class Said:
    """What a network says of some cells: sure, float32 (n,), from 0 to 1; size and offset, (n, 2), as of Targets; and
    landmarks, (n, 5, 2), y before x, in shares of the box. cells: int64 (n, 2), row and column."""

    sure: Tensor
    size: Tensor
    offset: Tensor
    landmarks: Tensor
    cells: Tensor

    @classmethod
    def of(cls, network: CenterFaceNet, features: Tensor, cells: Cells) -> "Said":
        picture, row, column = cells
        hot = features[picture, :, row, column]
        sure, size, offset, landmarks = (output(hot[:, :, None, None])[:, :, 0, 0] for output in network.outputs)
        at = torch.stack([row, column], 1)
        return cls(sure[:, 0].sigmoid(), size, offset, landmarks.reshape(-1, 5, 2), at)

    def points(self) -> Tensor:
        """Where the landmarks are, float32 (n, 5, 2), in pixels; boxes are taken as they are."""
        size = self.size.detach().exp() * STRIDE
        first = (self.cells + self.offset.detach() + 0.5) * STRIDE - size / 2
        return self.landmarks * size[:, None] + first[:, None]


def _moved(said: Said, by_parent: Said, side: Tensor) -> Tensor:
    """How far landmarks are from where the parent has them, in shares of the face, summed over the faces of which it is
    sure. Not the numbers are held, but the places: boxes may change."""
    with torch.no_grad():
        known, wanted = by_parent.sure >= _CERTAIN, by_parent.points()
    far = (said.points() - wanted).abs().mean((1, 2)) / side
    return far[known].sum()


def _cells(wanted: list[Targets]) -> Cells:
    picture = np.repeat(np.arange(len(wanted)), [len(each.cells) for each in wanted])
    row, column = np.concatenate([each.cells for each in wanted]).T
    return torch.from_numpy(picture), torch.from_numpy(row.copy()), torch.from_numpy(column.copy())
