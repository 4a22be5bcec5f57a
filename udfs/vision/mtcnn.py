"""MTCNN: three small networks, each looking closer at what the one before it has let through.

Zhang et al. 2016, IEEE Signal Processing Letters 23:10, with the networks, weights and rules of
facenet-pytorch 2.5.3, arranged so that a whole batch of pictures goes through each network at once.
"""

import io
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from udfs.vision.detect import Detection, Detector, in_order
from udfs.vision.runtime import Network, Shape, network
from udfs.vision.spec import VisionSpec
from udfs.vision.summed_area import SummedAreas
from udfs.vision.suppression import without_overlap
from udfs.vision.tensors import Tensors, WeightsSource, put

if TYPE_CHECKING:
    import torch

Array = np.ndarray

_WINDOW = 12  # PNet's: pixels of a pyramid level one of its cells looks at
_STRIDE = 2  # and how far its cells are apart
# RNet and ONet see so many crops of so many pixels at once, so that no crop's bits depend on how many there are.
_REFINED = (16, 24, 24)
_FINAL = (8, 48, 48)


@dataclass(frozen=True)
class _CandidateBoxes:
    """Boxes that may be faces. picture: int64 (n,), which picture of the batch; boxes: float32 (n, 4); scores: (n,)."""

    picture: Array
    boxes: Array
    scores: Array

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: Array) -> "_CandidateBoxes":
        return _CandidateBoxes(self.picture[chosen], self.boxes[chosen], self.scores[chosen])

    def moved(self, boxes: Array) -> "_CandidateBoxes":
        return _CandidateBoxes(self.picture, boxes.astype(np.float32), self.scores)


class Mtcnn(Detector):
    """MTCNN at the published thresholds."""

    score = 0.9
    thresholds = (0.6, 0.7, 0.7)
    factor = 0.709
    """Of one pyramid level to the next."""

    @classmethod
    def rule(cls) -> dict[str, object]:
        return {"name": "mtcnn", "revision": 2, "thresholds": list(cls.thresholds), "factor": cls.factor}

    def __init__(self, spec: VisionSpec, weights: WeightsSource) -> None:
        self._proposal, self._refinement, self._output = (
            _of_kind(kind, spec, weights, shape)
            for kind, shape in (("PNet", None), ("RNet", _REFINED), ("ONet", _FINAL))
        )
        self._minimum_face = spec.minimum_face
        self._score = spec.detection_score if spec.detection_score is not None else self.score

    def canvas(self, width: int, height: int) -> tuple[int, int]:
        return height, width

    def detect(self, pictures: Array) -> list[list[Detection]]:
        areas = SummedAreas(pictures)
        found, landmarks = self._outputs(areas, self._refinements(areas, self._proposals(areas)))
        faces: list[list[Detection]] = [[] for _ in pictures]
        for picture, box, points, score in zip(found.picture, found.boxes, landmarks, found.scores, strict=True):
            left, top, right, bottom = box
            if score >= self._score and right - left >= 1 and bottom - top >= 1:
                faces[picture].append(Detection(box.astype(np.float64), points.astype(np.float64), float(score)))
        return [in_order(of_picture) for of_picture in faces]

    def _levels(self, height: int, width: int) -> list[float]:
        """The scales of the pyramid: at each, PNet's window covers a face of another size."""
        scale = _WINDOW / self._minimum_face
        levels = []
        while min(height, width) * scale >= _WINDOW:
            levels.append(scale)
            scale *= self.factor
        return levels

    def _proposals(self, areas: SummedAreas) -> _CandidateBoxes:
        found = [self._of_level(areas, scale) for scale in self._levels(areas.height, areas.width)]
        if not found:
            return _CandidateBoxes(np.zeros(0, np.int64), np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
        every = _CandidateBoxes(
            np.concatenate([level.picture for level, _ in found]),
            np.concatenate([level.boxes for level, _ in found]),
            np.concatenate([level.scores for level, _ in found]),
        )
        shifts = np.concatenate([shift for _, shift in found])
        kept = _without_overlap(every, 0.7)
        left, top, right, bottom = every.boxes[kept].T
        sides = np.stack([right - left, bottom - top, right - left, bottom - top], 1)
        return every[kept].moved(_square(every.boxes[kept] + shifts[kept] * sides))

    def _of_level(self, areas: SummedAreas, scale: float) -> tuple[_CandidateBoxes, Array]:
        """PNet's candidates at one level, in pixels of the picture, with the shifts it proposes for them."""
        height, width = int(areas.height * scale + 1), int(areas.width * scale + 1)
        shifts, probabilities = self._proposal(areas.resized(height, width))
        picture, row, column = np.nonzero(probabilities[:, 1] >= self.thresholds[0])
        # In float32, as these decide on which side of a pixel a box begins.
        corner = np.stack([column, row], 1).astype(np.float32) * np.float32(_STRIDE)
        boxes = np.concatenate(
            [
                np.floor((corner + np.float32(1)) / np.float32(scale)),
                np.floor((corner + np.float32(_WINDOW)) / np.float32(scale)),
            ],
            1,
        )
        found = _CandidateBoxes(picture, boxes, probabilities[picture, 1, row, column])
        kept = _without_overlap(found, 0.5)
        return found[kept], shifts[picture, :, row, column][kept]

    def _refinements(self, areas: SummedAreas, found: _CandidateBoxes) -> _CandidateBoxes:
        found = _with_pixels(found, areas)
        if not len(found):
            return found
        crops = areas.crops(found.picture, _pixels(found, areas), _REFINED[1])
        shifts, probabilities = _in_chunks(self._refinement, crops, _REFINED[0])
        passed = np.nonzero(probabilities[:, 1] > self.thresholds[1])[0]
        scored = _CandidateBoxes(found.picture[passed], found.boxes[passed], probabilities[passed, 1])
        kept = _without_overlap(scored, 0.7)
        return scored[kept].moved(_square(_shifted(scored.boxes[kept], shifts[passed][kept])))

    def _outputs(self, areas: SummedAreas, found: _CandidateBoxes) -> tuple[_CandidateBoxes, Array]:
        found = _with_pixels(found, areas)
        if not len(found):
            return found, np.zeros((0, 5, 2), np.float32)
        crops = areas.crops(found.picture, _pixels(found, areas), _FINAL[1])
        shifts, points, probabilities = _in_chunks(self._output, crops, _FINAL[0])
        passed = np.nonzero(probabilities[:, 1] > self.thresholds[2])[0]
        scored = _CandidateBoxes(found.picture[passed], found.boxes[passed], probabilities[passed, 1])
        left, top, right, bottom = scored.boxes.T[:, :, None]
        x = points[passed, :5] * (right - left + 1) + left - 1
        y = points[passed, 5:] * (bottom - top + 1) + top - 1
        scored = scored.moved(_shifted(scored.boxes, shifts[passed]))
        kept = _without_containment(scored, 0.7)
        return scored[kept], np.stack([x, y], 2)[kept]


def read_packaged(_: bytes) -> Tensors:
    """The tensors that facenet-pytorch carries."""
    import torch

    state: Tensors = {}
    for name in ("pnet", "rnet", "onet"):
        content = files("facenet_pytorch").joinpath(f"data/{name}.pt").read_bytes()
        part = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        state.update({f"{name}.{tensor}": value for tensor, value in part.items()})
    return state


def _of_kind(kind: str, spec: VisionSpec, weights: WeightsSource, shape: Shape | None) -> Network:
    """One of the three networks, by its name in facenet-pytorch."""

    def build() -> "torch.nn.Module":
        from facenet_pytorch.models import mtcnn

        prefix = f"{kind.lower()}."
        tensors = weights.read()
        own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
        return put(getattr(mtcnn, kind)(pretrained=False), own)

    of = None if weights.digest is None else f"{weights.digest}/{kind}"
    return network(build, spec, of=of, shift=127.5, scale=128.0, pixels=np.float32, shape=shape)


def _in_chunks(net: Network, crops: Array, size: int) -> list[Array]:
    padded = np.zeros((-(-len(crops) // size) * size, *crops.shape[1:]), np.float32)
    padded[: len(crops)] = crops
    parts = [net(padded[start : start + size]) for start in range(0, len(padded), size)]
    return [np.concatenate(part)[: len(crops)] for part in zip(*parts, strict=True)]


def _pixels(found: _CandidateBoxes, areas: SummedAreas) -> Array:
    """The pixels a box covers: int64 (n, 4), left, top, right, bottom, from 0, the last two exclusive."""
    left, top, right, bottom = np.trunc(found.boxes).astype(np.int64).T
    return np.stack(
        [
            np.maximum(left, 1) - 1,
            np.maximum(top, 1) - 1,
            np.minimum(right, areas.width),
            np.minimum(bottom, areas.height),
        ],
        1,
    )


def _with_pixels(found: _CandidateBoxes, areas: SummedAreas) -> _CandidateBoxes:
    """Without the boxes that lie outside the picture."""
    left, top, right, bottom = _pixels(found, areas).T
    return found[np.nonzero((right > left) & (bottom > top))[0]]


def _square(boxes: Array) -> Array:
    """The squares around the middles of the boxes, with their longer sides."""
    left, top, right, bottom = boxes.T
    width, height = right - left, bottom - top
    side = np.maximum(width, height)
    left, top = left + width * 0.5 - side * 0.5, top + height * 0.5 - side * 0.5
    return np.stack([left, top, left + side, top + side], 1)


def _shifted(boxes: Array, shifts: Array) -> Array:
    left, top, right, bottom = boxes.T
    width, height = right - left + 1, bottom - top + 1
    return boxes + shifts * np.stack([width, height, width, height], 1)


def _without_overlap(found: _CandidateBoxes, most: float) -> Array:
    """Non-maximum suppression within each picture by intersection over union; indices of what is left."""
    kept = [np.zeros(0, np.int64)]
    for picture in np.unique(found.picture):
        here = np.nonzero(found.picture == picture)[0]
        kept.append(here[without_overlap(found.boxes[here], found.scores[here], most)])
    return np.concatenate(kept)


def _without_containment(found: _CandidateBoxes, most: float) -> Array:
    """Non-maximum suppression within each picture by intersection over the smaller box."""
    left, top, right, bottom = found.boxes.T
    sizes = (right - left + 1) * (bottom - top + 1)
    # Boxes that were cut to the same pixels score the same: of two, the one RNet thought less of comes first.
    waiting = np.lexsort((-np.arange(len(found)), -found.scores))
    kept = []
    while len(waiting):
        best, others = waiting[0], waiting[1:]
        kept.append(best)
        across = np.minimum(right[best], right[others]) - np.maximum(left[best], left[others]) + 1
        down = np.minimum(bottom[best], bottom[others]) - np.maximum(top[best], top[others]) + 1
        shared = np.maximum(across, 0) * np.maximum(down, 0) / np.minimum(sizes[best], sizes[others])
        waiting = others[(shared <= most) | (found.picture[others] != found.picture[best])]
    return np.array(kept, np.int64)
