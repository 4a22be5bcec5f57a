"""Sections `[models.NAME]` of the settings: embedders of one's own, from an ONNX file or from others."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from udfs.vision.own import (
    NOT_STATED,
    Colour,
    CropRule,
    FusedDeclaration,
    Layout,
    OnnxDeclaration,
    PartDeclaration,
)

MODEL_NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
"""It stands in `--set thresholds.NAME.match=...` and in messages."""
ModelName = Annotated[str, Field(pattern=MODEL_NAME)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class OnnxSection(_Section):
    """An ONNX file and how it is to be used; see `udfs.vision.own.OnnxDeclaration`."""

    file: Annotated[str, Field(pattern=r"^(/|[A-Za-z][A-Za-z0-9+.-]*://)")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
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


KINDS = ("<onnx>", "<fused>")
"""The two kinds of sections, as pydantic has them in the places of errors."""


def _kind(section: object) -> str:
    return KINDS["parts" in section if isinstance(section, dict) else isinstance(section, FusedSection)]


ModelSection = Annotated[
    Annotated[OnnxSection, Tag(KINDS[0])] | Annotated[FusedSection, Tag(KINDS[1])], Discriminator(_kind)
]
