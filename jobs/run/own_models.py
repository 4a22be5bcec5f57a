"""Sections `[models.NAME]` of the settings: embedders of one's own, from an ONNX file, from others, or adapted; and
detectors with weights of one's own."""

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, field_validator, model_validator

from udfs.vision.models import DETECTORS
from udfs.vision.own import (
    NOT_STATED,
    AdaptedDeclaration,
    Colour,
    CropRule,
    DetectorDeclaration,
    FusedDeclaration,
    Layout,
    LivenessDeclaration,
    OnnxDeclaration,
    PartDeclaration,
)

MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
"""It stands in `--set thresholds.NAME.match=...` and in messages."""
ModelName = Annotated[str, Field(pattern=MODEL_NAME)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_File = Annotated[str, Field(pattern=r"^(/|[A-Za-z][A-Za-z0-9+.-]*://)")]
_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class OnnxSection(_Section):
    """An ONNX file and how it is to be used; see `udfs.vision.own.OnnxDeclaration`."""

    file: _File
    sha256: _Digest
    crop: CropRule
    side: Annotated[int, Field(ge=16, le=1024)]
    margins: dict[Literal["mtcnn", "centerface"], Annotated[int, Field(ge=0, le=100)]] = {}
    colour: Colour
    shift: float
    scale: Annotated[float, Field(gt=0)]
    layout: Layout
    dimension: Annotated[int, Field(ge=1)]
    answer: Annotated[list[float], Field(min_length=1)]
    licence: str = NOT_STATED
    trained_on: str = NOT_STATED

    @model_validator(mode="after")
    def _margins_belong_to_boxes(self) -> "OnnxSection":
        if self.margins and self.crop != "margin":
            raise ValueError('must have margins only with crop = "margin"')
        return self

    def declaration(self, name: str) -> OnnxDeclaration:
        """As workers know it."""
        margins, answer = tuple(sorted(self.margins.items())), tuple(self.answer)
        return OnnxDeclaration(name=name, **{**dict(self), "margins": margins, "answer": answer})


class Part(_Section):
    """An embedder beside others; see `udfs.vision.declaration.FusedPart`."""

    model: str
    share: Annotated[float, Field(gt=0, lt=1)]
    flip: bool = False


class FusedSection(_Section):
    """Embedders beside each other."""

    parts: Annotated[list[Part], Field(min_length=2)]

    @field_validator("parts")
    @classmethod
    def _whole(cls, parts: list[Part]) -> list[Part]:
        total = sum(part.share for part in parts)
        if not math.isclose(total, 1, abs_tol=1e-6):
            raise ValueError(f"must have shares that sum to 1, not to {total:g}")
        return parts

    def declaration(self, name: str) -> FusedDeclaration:
        """As workers know it."""
        return FusedDeclaration(name, tuple(PartDeclaration(part.model, part.share, part.flip) for part in self.parts))


class AdaptedSection(_Section):
    """An embedder with an adapter behind it; see `udfs.vision.own.AdaptedDeclaration`."""

    of: str
    file: _File
    sha256: _Digest

    def declaration(self, name: str) -> AdaptedDeclaration:
        """As workers know it."""
        return AdaptedDeclaration(name, self.of, self.file, self.sha256)


class LivenessSection(_Section):
    """An ONNX file that says how likely a face is that of a live person; see `udfs.vision.own.LivenessDeclaration`."""

    file: _File
    sha256: _Digest
    crop: CropRule
    side: Annotated[int, Field(ge=16, le=1024)]
    margin: Annotated[int, Field(ge=0)] = 0
    colour: Colour
    shift: float
    scale: Annotated[float, Field(gt=0)]
    layout: Layout
    live: Annotated[int, Field(ge=0)] = 0
    softmax: bool = False

    @model_validator(mode="after")
    def _margin_is_of_a_box(self) -> "LivenessSection":
        if self.margin and self.crop != "margin":
            raise ValueError('must have a margin only with crop = "margin"')
        if self.margin >= self.side:
            raise ValueError(f"must have a margin below side, {self.side}")
        return self

    def declaration(self) -> LivenessDeclaration:
        """As workers know it."""
        return LivenessDeclaration(**dict(self))


class DetectorSection(_Section):
    """A packaged detector with other weights; see `udfs.vision.own.DetectorDeclaration`."""

    of: str
    file: _File
    sha256: _Digest

    def declaration(self, name: str) -> DetectorDeclaration:
        """As workers know it."""
        return DetectorDeclaration(name, self.of, self.file, self.sha256)


_ONNX, _FUSED, _ADAPTED, _DETECTOR = KINDS = ("<onnx>", "<fused>", "<adapted>", "<detector>")
"""The kinds of sections, as pydantic has them in the places of errors."""


def _kind(section: object) -> str:
    """By the fields that only one kind has, and by what it is of; without any of them it is an ONNX file's."""
    if isinstance(section, BaseModel):
        return _OF_CLASS[type(section)]
    fields = section if isinstance(section, dict) else {}
    if "parts" in fields:
        return _FUSED
    if "of" in fields:
        return _DETECTOR if fields["of"] in list(DETECTORS) else _ADAPTED
    return _ONNX


_OF_CLASS: dict[type[BaseModel], str] = {
    OnnxSection: _ONNX,
    FusedSection: _FUSED,
    AdaptedSection: _ADAPTED,
    DetectorSection: _DETECTOR,
}

ModelSection = Annotated[
    Annotated[OnnxSection, Tag(_ONNX)]
    | Annotated[FusedSection, Tag(_FUSED)]
    | Annotated[AdaptedSection, Tag(_ADAPTED)]
    | Annotated[DetectorSection, Tag(_DETECTOR)],
    Discriminator(_kind),
]


def section_of(values: Any) -> ModelSection:
    """A section of these values, which are known to be right."""
    section: ModelSection = TypeAdapter(ModelSection).validate_python(values)
    return section
