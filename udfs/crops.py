"""Arrow in, Arrow out: images to the crops that an embedder sees of the faces that are meant in them.

The crops are those of `embed`, to the bit: found, turned upright and cut by the same stream. Only what comes last, the
network, is left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import pyarrow as pa
from PIL import Image

from udfs.arrow import BatchFunction, RecordBatches
from udfs.embedding import content_of, on_this_executor
from udfs.records import Meant
from udfs.vision.detect import Detection
from udfs.vision.embed import Crops, Embedder
from udfs.vision.pipeline import Face, FacePipeline, ImageOutcome, Read
from udfs.vision.spec import VisionSpec

Array = np.ndarray

CROP = pa.schema(
    [
        ("image_id", pa.string()),
        ("outcome", pa.string()),
        ("side", pa.int32()),
        ("crop", pa.binary()),  # uint8 (side, side, 3), row by row; null without a face
    ]
)


class _OnlyCuts(Embedder):
    """Gives the crop itself in the place of a vector."""

    def __init__(self, of: Embedder) -> None:
        self._of = of
        self.side = of.side

    def crop(self, image: Image.Image, face: Detection) -> Crops:
        return self._of.crop(image, face)

    def embed(self, crops: Sequence[Crops]) -> Array:
        return np.stack([crop for (crop,) in crops])


def cut_crops(spec: VisionSpec, contract_id: str, meant: Meant) -> BatchFunction:
    """Images (inventory.IMAGE, perhaps with `content`) -> the crop of the face that is meant in each (CROP). The
    embedder of the specification has one network."""
    agreed = replace(spec, contract_id=contract_id)

    def cut(batches: RecordBatches) -> RecordBatches:
        pipeline = _cutting(on_this_executor(agreed))
        for batch in batches:
            rows = batch.to_pylist()
            images: Iterator[tuple[object, Read]] = (
                (row["image_id"], partial(content_of, row, spec.maximum_bytes)) for row in rows
            )
            found = [_row(str(key), outcome, meant) for key, outcome in pipeline.run(images)]
            if found:
                yield pa.RecordBatch.from_pylist(found, schema=CROP)

    return cut


@lru_cache(maxsize=1)
def _cutting(spec: VisionSpec) -> FacePipeline:
    pipeline = FacePipeline(spec)
    pipeline.embedder = _OnlyCuts(pipeline.embedder)
    return pipeline


def _row(image: str, outcome: ImageOutcome, meant: Meant) -> dict[str, object]:
    face = _meant(outcome, meant)
    if face is None:
        said = "several_faces" if outcome.faces else outcome.outcome
        return {"image_id": image, "outcome": said, "side": 0, "crop": None}
    return {"image_id": image, "outcome": "faces", "side": len(face.embedding), "crop": face.embedding.tobytes()}


def _meant(outcome: ImageOutcome, meant: Meant) -> Face | None:
    """The face that is meant, as `jobs/faces/lookup` chooses it: of equals the first."""
    if not outcome.faces or (meant == "only" and len(outcome.faces) > 1):
        return None
    return max(outcome.faces, key=lambda face: _preference(face, outcome, meant))


def _preference(face: Face, outcome: ImageOutcome, meant: Meant) -> float:
    if meant != "middle":
        return float(face.quality.size)
    left, top, right, bottom = face.box
    return -float(abs(left + right - outcome.width) + abs(top + bottom - outcome.height))
