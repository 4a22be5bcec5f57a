"""The rows that say of a trained model what it was learnt from, and how good it is."""

import json
from datetime import UTC, datetime

from evaluation.improvement import Improvement
from jobs.faces.contracts import note_contract
from jobs.learning.measured import Measured
from jobs.learning.trained import with_model
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import MODEL_PHOTOS, MODELS
from udfs.arrow import local_frame
from udfs.ids import document_id, hashed, stable_id
from udfs.vision.contract import Contract, contract


def register(context: Context, measured: Measured, run: ledger.Run) -> Contract:
    """Write the rows of a training; returns the contract of the model."""
    trained, parent, found = measured.trained, measured.parent, measured.found
    child = contract(with_model(context, trained).spec())
    note_contract(context, parent)
    note_contract(context, child)
    # The same training, measured in the same way, is one row, also where a run that was killed had written it.
    learnt = _photos(measured)
    data_digest = document_id({"photos": sorted([*photo] for photo in learnt)})
    model_id = stable_id("model", trained.name, trained.sha256, child.contract_id, data_digest, repr(found))
    photos = [(model_id, *photo, run.run_id) for photo in learnt]
    on_searches = found if isinstance(found, Improvement) else None
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
        "data": measured.data,
        "data_digest": data_digest,
        "seed": measured.seed,
        "persons": measured.persons,
        "photos": len(photos),
        "held_out_persons": measured.held_out_persons,
        "fpir": None if on_searches is None else on_searches.fpir,
        "gallery_size": None if on_searches is None else on_searches.gallery_size,
        "missed_before": found.before,
        "missed": found.after,
        "difference_low": found.difference.low,
        "difference_high": found.difference.high,
        "better": found.better,
        "measured": dict(measured.rates),
        "trained_at": datetime.now(UTC),
        "run_id": run.run_id,
    }
    context.tables.append_new("model_photos", local_frame(context.spark, photos, MODEL_PHOTOS.schema))
    values = tuple(row[name] for name in MODELS.names)
    context.tables.append_new("models", local_frame(context.spark, [values], MODELS.schema))
    run.digests.update(model=trained.sha256, parent=parent.contract_id, contract=child.contract_id)
    return child


def _photos(measured: Measured) -> list[tuple[str | None, str, str]]:
    """Of each photo that was learnt from digests of whom it shows and of its URI, and its id."""
    images = measured.trained.images
    image_of = dict(zip(images["uri"].to_pylist(), images["image_id"].to_pylist(), strict=True))
    return [
        (None if photo.person is None else hashed(photo.person), hashed(photo.uri), image_of[photo.uri])
        for photo in measured.learnt
    ]
