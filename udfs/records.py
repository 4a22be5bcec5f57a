"""The shape of what is found in an image, in Arrow: of a face, and of an image's outcome.

Tables and Spark's schemas are declared from here.
"""

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

POINT = pa.struct([("x", pa.float64()), ("y", pa.float64())])
SIDES = ("left", "top", "right", "bottom")
BOX = pa.struct([(side, pa.float64()) for side in SIDES])
QUALITY = pa.struct(
    [(name, pa.float64()) for name in ("size", "sharpness", "brightness", "clipped", "yaw", "pitch", "roll")]
)


Meant = Literal["largest", "middle", "only"]
"""Which face of an image is meant: the largest; the one nearest the middle; or the only one, so that of an image with
several none is."""


def edges(box: Mapping[str, float]) -> list[float]:
    """The values of a BOX in the order of SIDES."""
    return [box[side] for side in SIDES]


FACE = pa.struct(
    [
        ("face_id", pa.string()),
        ("ordinal", pa.int32()),
        ("box", BOX),
        ("landmarks", pa.list_(POINT)),
        ("score", pa.float64()),
        ("quality", QUALITY),
        ("embedding", pa.list_(pa.float32())),
    ]
)
"""One face. The tables take their columns from here."""

OUTCOME = pa.schema(
    [
        ("image_id", pa.string()),
        ("outcome", pa.string()),
        ("detail", pa.string()),
        ("content_sha256", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("exif_captured_at", pa.timestamp("us", tz="UTC")),
        ("faces", pa.list_(FACE)),
        ("liveness", pa.list_(pa.float64())),
    ]
)
"""What became of an image. liveness: of each of its faces, in their order; null where no network says it."""
