"""The thresholds that decide: those of a calibration, else those of the settings."""

from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from evaluation.calibration import Probability
from jobs.run.context import Context
from udfs.errors import InputError
from udfs.vision.contract import Contract

SETTINGS = "settings"
"""As a threshold_id: those of the settings, whatever has been calibrated."""

Array = np.ndarray


@dataclass(frozen=True)
class IdentificationThresholds:
    """What decides on the nearest person of a face, at or above."""

    match: float
    review: float
    threshold_id: str
    cohort_id: str | None = None
    """By what scores are normalised; None: then the similarity itself is compared with the thresholds."""


@dataclass(frozen=True)
class PairThresholds:
    """What decides on a pair, at or above; and how likely a pair is mated."""

    match: float
    review: float
    threshold_id: str
    probability: Probability
    probability_source: str

    def decisions(self, similarity: Array) -> list[str]:
        """match, review or non_match; float64 (n,) -> n of them."""
        return np.select(
            [similarity >= self.match, similarity >= self.review], ["match", "review"], "non_match"
        ).tolist()


def for_identification(
    context: Context, contract_id: str, embedder: str, persons: int, threshold_id: str | None = None
) -> IdentificationThresholds:
    """The newest calibration of a contract for a gallery of so many persons or more, of the smallest such size.

    A larger gallery has more false positives at the same threshold, so a calibration for fewer persons does not do.
    threshold_id: that calibration instead, or `settings`.

    Raises:
        InputError: no such calibration, or not of this contract.
    """
    found = _calibrations(context, contract_id)
    if threshold_id not in (None, SETTINGS):
        row = found.where(F.col("threshold_id") == threshold_id).first()
        if row is None:
            raise InputError(
                f"contract {contract_id} has no calibration {threshold_id!r}; the table thresholds lists them"
            )
        return IdentificationThresholds(row.threshold, row.review_threshold, row.threshold_id, row.cohort_id)
    if threshold_id is None:
        large_enough = found.where(F.col("gallery_size") >= persons)
        row = large_enough.orderBy("gallery_size", F.desc("created_at"), "threshold_id").first()
        if row is not None:
            context.log.info(
                f"thresholds: {row.threshold:.4f} and {row.review_threshold:.4f} hold FPIR {row.target:g} at"
                f" {row.gallery_size:,} persons ({row.threshold_id}); this gallery has {persons:,}"
            )
            return IdentificationThresholds(row.threshold, row.review_threshold, row.threshold_id, row.cohort_id)
        context.settings.threshold(embedder)  # refuses before it is said that they decide
        if persons:  # else there is nobody on whom to decide
            context.log.warning(
                f"thresholds: no calibration of this contract for {persons:,} persons: the settings' thresholds decide,"
                " whose error rate at this size is not known; run `rollcall calibrate`"
            )
    of_settings = context.settings.threshold(embedder)
    name = f"{SETTINGS}:{embedder}:{of_settings.match}:{of_settings.review}"
    return IdentificationThresholds(of_settings.match, of_settings.review, name)


def _calibrations(context: Context, contract_id: str) -> DataFrame:
    """Those of a contract for searches in a gallery."""
    of_contract = (F.col("contract_id") == contract_id) & (F.col("protocol") == "open-set")
    return context.tables.read_or_empty("thresholds").where(of_contract)


def for_enrolment(context: Context, agreed: Contract) -> float:
    """The similarity from which a photo that resembles another person is looked at.

    Raises:
        InputError: as of `review_similarity`.
    """
    return review_similarity(context, agreed.contract_id, agreed.embedder)


def review_similarity(context: Context, contract_id: str, embedder: str) -> float:
    """The similarity from which two faces of different persons are looked at: the settings', else that of the newest
    calibration for the smallest gallery, of those whose scores are similarities and not normalised by a cohort.

    Raises:
        InputError: there is neither.
    """
    if embedder in context.settings.thresholds:
        return context.settings.thresholds[embedder].review
    found = _calibrations(context, contract_id)
    row = found.where("cohort_id IS NULL").orderBy("gallery_size", F.desc("created_at"), "threshold_id").first()
    if row is not None:
        return float(row.review_threshold)
    if not found.isEmpty():
        raise InputError(
            "all calibrations are for scores normalised by a cohort, and photos to enrol are judged by similarities;"
            f" add a section [thresholds.{embedder}] to the settings, or run `rollcall calibrate --cohort 0`"
        )
    return context.settings.threshold(embedder).review


def for_verification(context: Context, agreed: Contract) -> PairThresholds:
    """The newest calibration of a contract for pairs, else the settings'.

    Raises:
        InputError: the settings have none for the embedder.
    """
    row = (
        context.tables.read_or_empty("thresholds")
        .where((F.col("contract_id") == agreed.contract_id) & (F.col("protocol") == "pairs"))
        .orderBy(F.desc("created_at"), "threshold_id")
        .first()
    )
    if row is not None:
        source = f"calibration {row.threshold_id} on {row.data}"
        probability = Probability(row.intercept, row.slope)
        return PairThresholds(row.threshold, row.review_threshold, row.threshold_id, probability, source)
    of_settings = context.settings.pair_threshold(agreed.embedder)
    context.log.warning("thresholds: no calibration of this contract for pairs: the settings' thresholds decide")
    name = f"{SETTINGS}:{agreed.embedder}:{of_settings.match}:{of_settings.review}"
    probability = Probability(of_settings.intercept, of_settings.slope)
    return PairThresholds(of_settings.match, of_settings.review, name, probability, of_settings.source)
