"""How images are to be embedded: all that a worker has to know of the configuration."""

from dataclasses import dataclass, field, replace
from typing import Literal

from udfs.vision.own import DetectorDeclaration, LivenessDeclaration, OwnModels

Precision = Literal["fp32", "bf16"]
Fastest = Literal["fastest"]


@dataclass(frozen=True)
class VisionSpec:
    """Models, limits and numeric precision. Sizes are in pixels, `maximum_bytes` and `memory` in bytes.

    `weights` maps a model's name to the path or URI of its file; models not named there are looked up in
    the cache. `models` are those of one's own. `liveness`: the network that says how likely a face is live, if
    that is to be kept; no id depends on it. `contract_id` is what the driver computed; a worker that
    computes another refuses to work. `precision` is that of the embedder, and of the detector as well unless
    `detector_precision` is another; "fastest" is replaced by what `speed.settled` has measured before any network is
    built.
    """

    detector: str = "centerface-twice"
    embedder: str = "fused"
    device: str = "cpu"
    precision: Precision | Fastest = "fp32"
    detector_precision: Precision | None = None
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
    liveness: LivenessDeclaration | None = None
    contract_id: str | None = None

    @property
    def boxes(self) -> str:
        """The name of the packaged detector that finds boxes of the same kind: this one may have weights of its own, or
        be "centerface-twice", which is "centerface" run twice."""
        own = {model.name: model.of for model in self.models if isinstance(model, DetectorDeclaration)}
        return own.get(self.detector, self.detector).partition("-")[0]

    def for_detector(self) -> "VisionSpec":
        """The same with the detector's precision as `precision`."""
        return self if self.detector_precision is None else replace(self, precision=self.detector_precision)
