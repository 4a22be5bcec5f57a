"""Models of one's own, as the settings declare them: data alone, which a specification carries to the workers."""

from dataclasses import dataclass
from typing import Literal

CropRule = Literal["margin", "eyes", "arcface"]
Colour = Literal["rgb", "bgr"]
Layout = Literal["nchw", "nhwc"]

NOT_STATED = "not stated"
"""The licence or the training data of a model of which nobody has said them."""


@dataclass(frozen=True)
class OnnxDeclaration:
    """A network in one ONNX file, as a section `[models.NAME]` has it.

    file: absolute path or URI; sha256: of the file. crop, side, margins: as of `declaration.Crop`. The network sees
    (pixel - shift) / scale, its channels in the order `colour`, as `layout`. dimension: of its vectors. answer: the
    first values of its unit vector of the crop that `known_answer` makes. licence, trained_on: in words.
    """

    name: str
    file: str
    sha256: str
    crop: CropRule
    side: int
    margins: tuple[tuple[str, int], ...]
    colour: Colour
    shift: float
    scale: float
    layout: Layout
    dimension: int
    answer: tuple[float, ...]
    licence: str = NOT_STATED
    trained_on: str = NOT_STATED


@dataclass(frozen=True)
class PartDeclaration:
    """A part of a fused embedder: the name of another, and the rest as of `declaration.FusedPart`."""

    model: str
    share: float
    flip: bool = False


@dataclass(frozen=True)
class FusedDeclaration:
    """Embedders beside each other, which may be packaged ones or one's own. The shares sum to 1."""

    name: str
    parts: tuple[PartDeclaration, ...]


@dataclass(frozen=True)
class AdaptedDeclaration:
    """An embedder whose vectors pass through an adapter (`udfs/vision/adapter.py`).

    of: the name of the embedder, which may be a packaged one, an ONNX file or a fused one. file: of the adapter,
    absolute path or URI; sha256: of the file.
    """

    name: str
    of: str
    file: str
    sha256: str


@dataclass(frozen=True)
class LivenessDeclaration:
    """A network in one ONNX file that says how likely a face is that of a live person, as the section `[liveness]` has
    it; what it says decides nothing.

    margin: of a crop by the rule "margin", in pixels of the crop. live: which of its outputs speaks for a live person.
    softmax: whether its outputs are logits, which become probabilities: several by the softmax, one by the logistic
    function. The rest as of OnnxDeclaration.
    """

    file: str
    sha256: str
    crop: CropRule
    side: int
    margin: int
    colour: Colour
    shift: float
    scale: float
    layout: Layout
    live: int
    softmax: bool


@dataclass(frozen=True)
class DetectorDeclaration:
    """A packaged detector with other weights (`udfs/vision/own_detector_file.py`).

    of: its name, centerface or centerface-twice. file: of the weights, absolute path or URI; sha256: of the file.
    """

    name: str
    of: str
    file: str
    sha256: str


OwnModel = OnnxDeclaration | FusedDeclaration | AdaptedDeclaration | DetectorDeclaration
OwnModels = tuple[OwnModel, ...]
