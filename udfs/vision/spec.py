"""How images are to be embedded: all that a worker has to know of the configuration."""

from dataclasses import dataclass, field
from typing import Literal

from udfs.vision.own import OwnModels

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class VisionSpec:
    """Models, limits and numeric precision. Sizes are in pixels, `maximum_bytes` and `memory` in bytes.

    `weights` maps a model's name to the path or URI of its file; models not named there are looked up in
    the cache. `models` are embedders of one's own. `contract_id` is what the driver computed; a worker that
    computes another refuses to work.
    """

    detector: str = "centerface"
    embedder: str = "facenet-vggface2"
    device: str = "cpu"
    precision: Precision = "fp32"
    batch_size: int = 16
    threads: int = 1
    detection_pixels: int = 262_144
    margin: int | None = None
    flip: bool = False
    minimum_face: int = 40
    detection_score: float | None = None
    maximum_side: int = 2048
    maximum_pixels: int = 100_000_000
    maximum_bytes: int = 268_435_456
    memory: int = 536_870_912
    weights: tuple[tuple[str, str], ...] = field(default=())
    models: OwnModels = ()
    contract_id: str | None = None
