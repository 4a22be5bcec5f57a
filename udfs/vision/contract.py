"""What makes two embeddings comparable, as one id; and what decides which faces are found, as another."""

from dataclasses import dataclass

from udfs.ids import document_id
from udfs.vision import upright, views
from udfs.vision.decode import DECODE_RULE
from udfs.vision.detect import detector_class
from udfs.vision.models import detector, embedder
from udfs.vision.spec import VisionSpec


@dataclass(frozen=True)
class Contract:
    """`contract_id` is the SHA-256 of `document`; embeddings may be compared only under one contract."""

    contract_id: str
    document: dict[str, object]
    detector: str
    embedder: str
    dimension: int


def contract(spec: VisionSpec) -> Contract:
    """The contract of a specification.

    The digests are those the declarations state: `weights.load` gives no tensors that have another.

    Raises:
        InputError: unknown models.
    """
    found_by, embedded_by = detector(spec.detector, spec.models), embedder(spec.embedder, spec.models)
    document: dict[str, object] = {
        "decode": DECODE_RULE,
        "detector": {**detector_class(found_by).rule(), "weights": found_by.digest},
        "upright": upright.RULE,
        "embedder": embedded_by.document(spec),
        "dimension": embedded_by.dimension,
    }
    return Contract(document_id(document), document, spec.detector, spec.embedder, embedded_by.dimension)


def settings_id(spec: VisionSpec) -> str:
    """The id of what decides which faces are found: thresholds and limits, not the models."""
    return document_id(
        {
            "minimum_face": spec.minimum_face,
            "detection_score": detector_class(detector(spec.detector, spec.models)).score
            if spec.detection_score is None
            else spec.detection_score,
            "maximum_side": spec.maximum_side,
            "maximum_pixels": spec.maximum_pixels,
            "maximum_bytes": spec.maximum_bytes,
            "views": views.RULE,
        }
    )
