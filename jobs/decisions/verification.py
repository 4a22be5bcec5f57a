"""Pairs of images are verified: compared, and decided by the thresholds for pairs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jobs.decisions.thresholds import PairThresholds, for_verification
from jobs.faces.contracts import note_contract, verified_contract
from jobs.faces.lookup import MeantFaces
from jobs.inputs import records
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import VERIFICATIONS
from udfs import lake
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.records import Meant
from udfs.search.pairs import similarities
from udfs.vision.contract import settings_id

TableRow = dict[str, Any]
"""A row of `verifications`, by column."""


@dataclass(frozen=True)
class ImagePair:
    """Two images by URI."""

    left: str
    right: str


@dataclass(frozen=True)
class Verified:
    """rows: of `verifications`, in the order of the pairs. counts: of the run."""

    rows: list[TableRow]
    counts: dict[str, int]
    thresholds: PairThresholds


def verify_pairs(context: Context, *, images: tuple[str, ...], pairs: str | None, meant: Meant) -> Verified:
    """Compare pairs of images, and write what came of each. The arguments are those of `rollcall verify`.

    Raises:
        InputError: no pair or one image too few, a malformed pairs file, no thresholds for the embedder.
    """
    wanted = _wanted(context, images, pairs)
    agreed = verified_contract(context.settings.spec())
    thresholds = for_verification(context, agreed)
    with ledger.run(context) as run:
        settings = settings_id(context.settings.spec())
        run.digests.update(contract=agreed.contract_id, settings=settings)
        faces = MeantFaces.of(context, [uri for pair in wanted for uri in (pair.left, pair.right)], agreed, meant)
        compared = _compared(wanted, faces, thresholds)
        of_all = {
            "contract_id": agreed.contract_id,
            "settings_id": settings,
            "face": meant,
            "threshold": thresholds.match,
            "review_threshold": thresholds.review,
            "threshold_id": thresholds.threshold_id,
            "run_id": run.run_id,
        }
        made = [{**row, **of_all, "pair_id": _pair_id(row, agreed.contract_id, settings, meant)} for row in compared]
        note_contract(context, agreed)
        unique = {row["pair_id"]: row for row in made}
        written = [tuple(row[name] for name in VERIFICATIONS.names) for row in unique.values()]
        context.tables.update("verifications", local_frame(context.spark, written, VERIFICATIONS.schema))
        for row in made:
            run.count(row["decision"] or "not_compared", 1)
    return Verified(made, run.counts, thresholds)


def _wanted(context: Context, images: tuple[str, ...], pairs: str | None) -> list[ImagePair]:
    if (len(images) == 2) == (pairs is not None) or len(images) not in (0, 2):
        raise InputError("say which images: two of them, LEFT RIGHT, or --pairs FILE")
    if pairs is None:
        return [ImagePair(*(lake.uri_of(image) for image in images))]
    uri = lake.uri_of(pairs)
    read = records.read(context, uri, required=("left", "right"), others="kept")
    if not read:
        raise InputError(f"{uri}: lists no pairs")
    return [_pair(uri, row) for row in read]


def _pair(file: str, row: records.Record) -> ImagePair:
    left, right = row.uri("left", file), row.uri("right", file)
    if not left or not right:
        raise InputError(f"{row.where}: left and right must not be empty")
    return ImagePair(left, right)


def _compared(wanted: list[ImagePair], faces: MeantFaces, thresholds: PairThresholds) -> list[TableRow]:
    left, right = (faces.places([getattr(pair, side) for pair in wanted]) for side in ("left", "right"))
    both = faces.there[left] & faces.there[right]
    near = np.zeros(len(wanted))
    near[both] = similarities(faces.vectors, left[both], right[both])
    decisions, probabilities = thresholds.decisions(near), thresholds.probability.at(near).tolist()
    outcome, detail, ids = (faces.table[name].to_pylist() for name in ("outcome", "detail", "image_id"))
    compared: list[TableRow] = []
    for at, pair in enumerate(wanted):
        sides = (("left", left[at]), ("right", right[at]))
        troubled = [(side, place) for side, place in sides if outcome[place] != "faces"]
        row: TableRow = {
            "left_uri": pair.left,
            "right_uri": pair.right,
            "left_image_id": ids[left[at]],
            "right_image_id": ids[right[at]],
            "outcome": " ".join(f"{side}:{outcome[place]}" for side, place in troubled) or "compared",
            "detail": "; ".join(detail[place] for _, place in troubled if detail[place]),
            "similarity": float(near[at]),
            "decision": decisions[at],
            "probability": probabilities[at],
            "probability_source": thresholds.probability_source,
        }
        unknown = ("similarity", "decision", "probability", "probability_source")
        compared.append(row | dict.fromkeys(unknown) if troubled else row)
    return compared


def _pair_id(row: TableRow, contract_id: str, settings: str, meant: str) -> str:
    return stable_id("pair", str(row["left_image_id"]), str(row["right_image_id"]), contract_id, settings, meant)
