"""Settings: `conf/rollcall.toml`, or a file of one's own, with single values changed by `--set`."""

import tomllib
from collections.abc import Iterable
from dataclasses import asdict
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from jobs.run.own_models import KINDS, LivenessSection, ModelName, ModelSection
from jobs.run.setting_names import setting_names, unknown_name
from udfs import lake
from udfs.errors import InputError
from udfs.vision.models import EMBEDDERS, detectors, embedders
from udfs.vision.own import OwnModels
from udfs.vision.spec import Fastest, Precision, VisionSpec

Positive = Annotated[int, Field(gt=0)]
Cosine = Annotated[float, Field(ge=-1, le=1)]

_LOW_FLOOR = 0.1
"""The lowest of the packaged models': hardly any pair of one person is below it, in the embeddings of any model."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Vision(_Strict):
    """Models, precision and limits; see the comments in `conf/rollcall.toml`."""

    detector: str
    embedder: str
    device: Annotated[str, Field(pattern=r"^(cpu|cuda)$")]
    precision: Precision | Fastest
    batch_size: Positive
    margin: Annotated[int, Field(ge=0, le=100)] | None = None
    minimum_face: Annotated[int, Field(ge=20)]
    flip: bool
    detection_score: Annotated[float, Field(ge=0, le=1)] | None = None
    maximum_side: Annotated[int, Field(ge=64)]
    maximum_pixels: Positive
    maximum_bytes: Positive
    threads: Positive
    detection_pixels: Positive
    memory: Annotated[int, Field(ge=67_108_864)]


class Enroll(_Strict):
    """What an enrolment photo must be."""

    minimum_size: Annotated[float, Field(ge=0)]
    minimum_sharpness: Annotated[float, Field(ge=0)]


class Identify(_Strict):
    """Which faces are searched for, and what is kept for each."""

    k: Positive
    minimum_size: Annotated[float, Field(ge=0)]
    largest_whole: Annotated[int, Field(ge=0)]


class Review(_Strict):
    """How many people must confirm that a face shows a person, before it counts as confirmed."""

    signatures: Annotated[int, Field(ge=1, le=10)] = 1


class Investigation(_Strict):
    """What whoever searches has to say."""

    purpose_required: bool = False


class Files(_Strict):
    """Who may read what is written."""

    private: bool = True


class Cluster(_Strict):
    """Which faces found groups; what is smaller or less sharp joins one."""

    minimum_size: Annotated[float, Field(ge=0)] = 40.0
    minimum_sharpness: Annotated[float, Field(ge=0)] = 10.0


def _days(value: object) -> object:
    if value == KEEP or (isinstance(value, int) and not isinstance(value, bool) and value >= 1):
        return value
    raise ValueError(f'must be a number of days from 1, or "{KEEP}"')


KEEP = "keep"
Days = Annotated[int | Literal["keep"], BeforeValidator(_days)]


class RetentionLimits(_Strict):
    """Days after the run_date for which something is kept; None: what is said elsewhere, else without limit."""

    matches: Days | None = None
    faces_in_review: Days | None = None
    unknown_faces: Days | None = None
    images_without_faces: Days | None = None
    rejected_images: Days | None = None


class Retention(RetentionLimits):
    """For how long faces and images are kept; see the comments in `conf/rollcall.toml`."""

    investigations: Days | None = None
    sources: dict[str, RetentionLimits] = {}


class Threshold(_Strict):
    """Similarities at or above which a person is named (`match`), should be looked at (`review`), is kept."""

    match: Cosine
    review: Cosine
    keep_floor: Cosine
    source: str

    @model_validator(mode="after")
    def _in_order(self) -> "Threshold":
        if not self.keep_floor <= self.review <= self.match:
            raise ValueError("must have keep_floor <= review <= match")
        return self


class PairThreshold(_Strict):
    """The same for pairs; and the logit of the probability that a pair is mated: intercept + slope * similarity."""

    match: Cosine
    review: Cosine
    intercept: float
    slope: Annotated[float, Field(gt=0)]
    source: str

    @model_validator(mode="after")
    def _in_order(self) -> "PairThreshold":
        if self.review > self.match:
            raise ValueError("must have review <= match")
        return self


_OF_A_MODEL: dict[str, type[BaseModel]] = {"thresholds": Threshold, "pairs": PairThreshold}
"""Sections that have a part for each embedder."""


class Settings(_Strict):
    """All settings of all jobs."""

    vision: Vision
    enroll: Enroll
    identify: Identify
    review: Review = Review()
    investigation: Investigation = Investigation()
    cluster: Cluster = Cluster()
    files: Files = Files()
    retention: Retention = Retention()
    liveness: LivenessSection | None = None
    thresholds: dict[str, Threshold]
    pairs: dict[str, PairThreshold] = {}
    weights: dict[str, str] = {}
    models: dict[ModelName, ModelSection] = {}

    def own_models(self) -> OwnModels:
        """The models that the settings declare."""
        return tuple(section.declaration(name) for name, section in sorted(self.models.items()))

    def spec(self) -> VisionSpec:
        """What the workers are told, once `speed.settled` has measured which precision is the fastest."""
        files = tuple(sorted(self.weights.items()))
        return VisionSpec(**self.vision.model_dump(), weights=files, models=self.own_models())

    def threshold(self, embedder: str) -> Threshold:
        """The thresholds of an embedder.

        Raises:
            InputError: the settings have none for it.
        """
        if embedder not in self.thresholds:
            raise InputError(
                f"the settings have no thresholds for {embedder!r}; run `rollcall calibrate`, or add a section"
                f" [thresholds.{embedder}]"
            )
        return self.thresholds[embedder]

    def keep_floor(self, embedder: str) -> float:
        """The similarity below which persons are not kept; of an embedder without thresholds a low one, by which more
        is kept than needed, but nobody is lost.
        """
        return self.thresholds[embedder].keep_floor if embedder in self.thresholds else _LOW_FLOOR

    def pair_threshold(self, embedder: str) -> PairThreshold:
        """The thresholds of an embedder for pairs.

        Raises:
            InputError: the settings have none for it.
        """
        if embedder not in self.pairs:
            raise InputError(
                f"the settings have no thresholds for pairs of {embedder!r}; run `rollcall"
                f" calibrate --protocol pairs`, or add a section [pairs.{embedder}]"
            )
        return self.pairs[embedder]


def load(config: str | None = None, changes: tuple[str, ...] = ()) -> Settings:
    """The packaged settings, or those of a file, with changes such as `vision.minimum_face=60`.

    Raises:
        InputError: an unreadable file, an unknown name, or a value that is not allowed.
    """
    return of_text(text_of(config) if config else packaged_text(), config or "conf/rollcall.toml", changes)


def text_of(config: str) -> str:
    """The content of a settings file.

    Raises:
        InputError: it cannot be read, or is no text.
    """
    try:
        return lake.read_anything(config).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{config}: is not a TOML file: {error}") from error


def packaged_text() -> str:
    """The packaged settings, with their comments."""
    return resources.files("conf").joinpath("rollcall.toml").read_text("utf-8")


def of_text(text: str, where: str, changes: tuple[str, ...] = ()) -> Settings:
    """The settings in a text. where: what it was read from, for messages.

    Raises:
        InputError: no TOML, an unknown name, or a value that is not allowed.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: is not a TOML file: {error}") from error
    packaged = {
        kind: {name: asdict(getattr(model, kind)) for name, model in EMBEDDERS.items()}
        for kind in ("thresholds", "pairs")
    }
    document = _over(packaged, document)
    names = setting_names(Settings, _OF_A_MODEL, document)
    for change in changes:
        _apply(document, change, names)
    try:
        settings = Settings.model_validate(document)
        detectors(settings.own_models())
        embedders(settings.own_models())
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    except ValidationError as error:
        raise InputError(_said(error, where, changes, names)) from error
    for name in settings.weights:
        if f"weights.{name}" not in names:
            raise InputError(f"{where}: {unknown_name(f'weights.{name}', names)}")
    return settings


def _said(error: ValidationError, where: str, changes: tuple[str, ...], names: Iterable[str]) -> str:
    """What is wrong, and where: in a change, or in the file. Of several things an unknown name: what it is meant to be
    may be what is missing.
    """
    found = error.errors()
    first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
    name = ".".join(str(part) for part in first["loc"] if part not in KINDS)
    for change in changes:
        changed = change.partition("=")[0]
        if f"{name}.".startswith(f"{changed}.") or changed.startswith(f"{name}."):
            where = f"--set {change}"
    if first["type"] == "extra_forbidden":
        return f"{where}: {unknown_name(name, names)}"
    return f"{where}: {name}: {first['msg']} (found {first.get('input')!r:.60})"


def _over(packaged: Any, given: Any) -> Any:
    """What is given, with what is packaged in the place of values that are not."""
    if not (isinstance(packaged, dict) and isinstance(given, dict)):
        return given
    return packaged | {name: _over(packaged.get(name), value) for name, value in given.items()}


def _apply(document: dict[str, Any], change: str, names: Iterable[str]) -> None:
    name, equals, text = change.partition("=")
    # The last part may itself hold dots no more than a model's name does: weights.facenet-vggface2
    *sections, last = name.split(".")
    if not equals or not sections:
        raise InputError(f"--set {change}: write --set section.name=value, e.g. --set vision.minimum_face=60")
    known = name in names or sections[0] == "models" or any(name.startswith(f"{value}.") for value in names)
    if not known:
        raise InputError(f"--set {change}: {unknown_name(name, names)}")
    for section in sections:
        document = document.setdefault(section, {})
        if not isinstance(document, dict):
            raise InputError(f"--set {change}: {section!r} is a value, not a section")
    try:
        document[last] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:  # a bare word such as dlib-resnet-v1 or a path
        document[last] = text
