"""What training makes: a model's file, and how it is declared in the settings."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from jobs.run import settings_file
from jobs.run.context import Context
from jobs.run.own_models import section_of
from jobs.run.settings import Settings
from udfs.errors import InputError
from udfs.vision.own import AdaptedDeclaration, DetectorDeclaration, OnnxDeclaration


@dataclass(frozen=True)
class Place:
    """Where a model goes: its name, the folder of its file, and the settings file that gets its section."""

    name: str
    folder: Path
    declared_in: Path

    def refuse_taken(self) -> None:
        """Stop before anything is learnt, where it could not be kept.

        Raises:
            InputError: the name is taken or no name, or the folder cannot be written.
        """
        settings_file.refuse_taken(self.declared_in, self.name)
        nearest = next(path for path in (self.folder.absolute(), *self.folder.absolute().parents) if path.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
            reason = "no right to" if nearest.is_dir() else f"{nearest} is no folder"
            raise InputError(f"{self.folder}: cannot be written ({reason}); choose another --output")

    def write(self, content: bytes, suffix: str) -> Path:
        """Write the model's file, whole or not at all.

        Raises:
            InputError: it cannot be written: a full disk, say.
        """
        path = (self.folder / f"{self.name}{suffix}").absolute()
        partial = path.with_name(f".{path.name}.partial")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
            partial.replace(path)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise InputError(f"{path}: cannot be written ({error.strerror}); choose another --output") from error
        return path


@dataclass(frozen=True)
class Trained:
    """What was learnt: its declaration, the model it was learnt from, and how. images: of the photos that it was learnt
    from, with uri and image_id."""

    kind: str
    declared: OnnxDeclaration | AdaptedDeclaration | DetectorDeclaration
    parent: str
    loss: str
    plan: Mapping[str, object]
    images: pa.Table

    @property
    def name(self) -> str:
        """Of the new model."""
        return self.declared.name

    @property
    def file(self) -> Path:
        """Where it was written."""
        return Path(self.declared.file)

    @property
    def sha256(self) -> str:
        """Of the file."""
        return self.declared.sha256

    @property
    def setting(self) -> str:
        """Which setting takes its name."""
        return "vision.detector" if isinstance(self.declared, DetectorDeclaration) else "vision.embedder"

    @property
    def section(self) -> str:
        """Of the settings, as TOML."""
        return settings_file.section(self.declared)


def with_model(context: Context, trained: Trained) -> Settings:
    """The settings with a new model, which is in use."""
    name, held = trained.name, context.settings
    declared = section_of(tomllib.loads(trained.section)["models"][name])
    vision = held.vision.model_copy(update={trained.setting.partition(".")[2]: name})
    return held.model_copy(update={"models": {**held.models, name: declared}, "vision": vision})
