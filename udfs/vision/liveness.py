"""How likely a face is that of a live person and no picture of one, as a network of one's own has it.

It is advice: kept beside the face, and nothing is decided by it. How good it is can be measured on one's own photos
(`rollcall evaluate --protocol attack`).
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from udfs.errors import InputError
from udfs.vision.declaration import Crop
from udfs.vision.detect import Detection
from udfs.vision.embed import cut
from udfs.vision.onnx_network import of_content
from udfs.vision.own import LivenessDeclaration, OnnxDeclaration
from udfs.vision.own_file import declared_content
from udfs.vision.spec import VisionSpec

Array = np.ndarray

NAME = "liveness"
"""Of the section of the settings; and in messages."""


class Liveness:
    """The network of a declaration.

    Raises:
        InputError: another file than was declared, an absent device or package, a precision or a batch that it does not
            compute in, or fewer outputs than the declaration counts.
    """

    def __init__(self, declared: LivenessDeclaration, spec: VisionSpec) -> None:
        content = declared_content(declared.file, declared.sha256, NAME, "declare this one")
        self._declared, self._batch = declared, spec.batch_size
        self._crop = Crop(declared.crop, declared.side)
        self._network = of_content(content, _as_network(declared), spec)
        self._of_batch([np.zeros((declared.side, declared.side, 3), np.uint8)])  # says what is wrong before any image

    def crop(self, image: Image.Image, face: Detection) -> Array:
        """What it sees of a face: uint8 (side, side, 3)."""
        return cut(self._crop, self._declared.margin, image, face)

    def __call__(self, crops: Sequence[Array]) -> list[float | None]:
        """Of each crop; None where it gives no number. In batches of one fixed size, as embedders are."""
        starts = range(0, len(crops), self._batch)
        found = np.concatenate([self._of_batch(crops[start : start + self._batch]) for start in starts])
        return [float(each) if np.isfinite(each) else None for each in found]

    def _of_batch(self, crops: Sequence[Array]) -> Array:
        pixels = np.zeros((self._batch, *crops[0].shape), np.uint8)
        pixels[: len(crops)] = crops
        outputs = self._network(pixels)[0].astype(np.float64).reshape(self._batch, -1)[: len(crops)]
        if self._declared.live >= outputs.shape[1]:
            raise InputError(
                f"[{NAME}]: live = {self._declared.live}, and its network has {outputs.shape[1]} outputs a face,"
                " counted from 0; correct it"
            )
        return (_probabilities(outputs) if self._declared.softmax else outputs)[:, self._declared.live]


def _probabilities(logits: Array) -> Array:
    if logits.shape[1] == 1:
        return 1 / (1 + np.exp(-logits))
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def _as_network(declared: LivenessDeclaration) -> OnnxDeclaration:
    """As networks of one's own are run; how many values it gives, and which, is not asked."""
    seen = {name: getattr(declared, name) for name in ("file", "sha256", "crop", "side", "colour", "layout")}
    return OnnxDeclaration(NAME, **seen, margins=(), shift=declared.shift, scale=declared.scale, dimension=1, answer=())
