"""A trained model becomes a file, a section of the settings, and a row of `models` that says how good it is."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from evaluation.improvement import Improvement
from jobs.faces.contracts import note_contract
from jobs.learning.divided import Divided
from jobs.run import ledger, settings, settings_file
from jobs.run.context import Context
from jobs.run.settings import Settings
from schemas.catalog import MODEL_PHOTOS, MODELS
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import document_id, hashed, stable_id
from udfs.vision.contract import Contract, contract
from udfs.vision.own import AdaptedDeclaration, OnnxDeclaration


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
    declared: OnnxDeclaration | AdaptedDeclaration
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
    def section(self) -> str:
        """Of the settings, as TOML."""
        return settings_file.section(self.declared)


def with_model(context: Context, trained: Trained) -> Settings:
    """The settings with a new model, which is the embedder."""
    name, held = trained.name, context.settings
    declared = settings.of_text(f"{settings.packaged_text()}\n{trained.section}", name).models[name]
    vision = held.vision.model_copy(update={"embedder": name})
    return held.model_copy(update={"models": {**held.models, name: declared}, "vision": vision})


def register(
    context: Context,
    trained: Trained,
    parent: Contract,
    divided: Divided,
    seed: int,
    found: Improvement,
    measured: Mapping[str, float],
    data: str,
    run: ledger.Run,
) -> Contract:
    """Write the rows that say what was learnt from whom, and how good it is; returns the contract of the model."""
    child = contract(with_model(context, trained).spec())
    note_contract(context, parent)
    note_contract(context, child)
    model_id = stable_id("model", run.run_id)
    photos = _photos(model_id, trained, divided, run)
    row = {
        "model_id": model_id,
        "name": trained.name,
        "kind": trained.kind,
        "parent": trained.parent,
        "parent_contract_id": parent.contract_id,
        "contract_id": child.contract_id,
        "file": trained.file.as_uri(),
        "sha256": trained.sha256,
        "declaration": trained.section,
        "loss": trained.loss,
        "plan": json.dumps(trained.plan, sort_keys=True),
        "data": data,
        "data_digest": document_id({"photos": sorted([*photo[1:4]] for photo in photos)}),
        "seed": seed,
        "persons": len(divided.learnt.persons),
        "photos": len(photos),
        "held_out_persons": len(divided.held_out.persons),
        "fpir": found.fpir,
        "gallery_size": found.gallery_size,
        "missed_before": found.before,
        "missed": found.after,
        "difference_low": found.difference.low,
        "difference_high": found.difference.high,
        "better": found.better,
        "measured": dict(measured),
        "trained_at": datetime.now(UTC),
        "run_id": run.run_id,
    }
    context.tables.append("model_photos", local_frame(context.spark, photos, MODEL_PHOTOS.schema))
    values = tuple(row[name] for name in MODELS.names)
    context.tables.append("models", local_frame(context.spark, [values], MODELS.schema))
    run.digests.update(model=trained.sha256, parent=parent.contract_id, contract=child.contract_id)
    return child


def _photos(model_id: str, trained: Trained, divided: Divided, run: ledger.Run) -> list[tuple[str, str, str, str, str]]:
    image_of = dict(zip(trained.images["uri"].to_pylist(), trained.images["image_id"].to_pylist(), strict=True))
    return [
        (model_id, hashed(photo.person), hashed(photo.uri), image_of[photo.uri], run.run_id)
        for photo in divided.learnt.photos
    ]
