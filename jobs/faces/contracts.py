"""The contract in force: what makes embeddings comparable, once its weights are known to be the right ones."""

import json

from pyspark.sql import functions as F

from jobs.run.context import Context
from schemas.catalog import CONTRACTS
from udfs.arrow import local_frame
from udfs.vision import own_detector_file, own_file, weights
from udfs.vision.contract import Contract, contract
from udfs.vision.declaration import AdaptedModel, Model, OnnxModel, OwnDetector
from udfs.vision.embed import adapter_of
from udfs.vision.models import embedder, with_weights
from udfs.vision.spec import VisionSpec


def verified_contract(spec: VisionSpec) -> Contract:
    """The contract, once the weights it stands for have been found and are the right ones.

    Raises:
        InputError: unknown models, weights missing or wrong.
    """
    agreed = contract(spec)
    for model in with_weights(spec):
        verify(spec, model)
    embeds = embedder(spec.embedder, spec.models)
    if isinstance(embeds, AdaptedModel):
        adapter_of(embeds, spec)
    return agreed


def verify(spec: VisionSpec, model: Model | OnnxModel | OwnDetector) -> None:
    """Make sure that the weights of a model are there, and the right ones.

    Raises:
        InputError: they are not.
    """
    explicit = weights.named_in(spec, model.name)
    if isinstance(model, OnnxModel):
        own_file.read(model.declared, explicit)
    elif isinstance(model, OwnDetector):
        own_detector_file.verify(model.declared, explicit)
    else:
        weights.verify(model.name, explicit)


def note_contract(context: Context, agreed: Contract) -> None:
    """Write down what a contract id stands for."""
    row = (
        agreed.contract_id,
        agreed.detector,
        agreed.embedder,
        agreed.dimension,
        json.dumps(agreed.document),
    )
    known = context.tables.read_or_empty("contracts").where(F.col("contract_id") == agreed.contract_id)
    if known.isEmpty():
        context.tables.append_new("contracts", local_frame(context.spark, [row], CONTRACTS.schema))
