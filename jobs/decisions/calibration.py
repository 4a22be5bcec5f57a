"""A threshold is calibrated: found so that it holds a stated error rate, on labelled photos or pairs."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from evaluation.bootstrap import Interval, intervals
from evaluation.calibration import COUNTED, Calibration, Probability
from evaluation.calibration import calibrate as calibrated
from evaluation.identification import Trials
from evaluation.strangers import StrangerRates
from evaluation.verification import Comparisons, Curve
from jobs.decisions.cohort import Cohort
from jobs.decisions.trials import ComparedPairs, SearchedPhotos
from jobs.faces.contracts import note_contract, verified_contract
from jobs.faces.lookup import MeantFaces
from jobs.inputs.labelled import Half, LabelledPair, LabelledPhoto, read_labelled_pairs, read_labelled_photos
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import THRESHOLDS
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.records import Meant
from udfs.vision.contract import Contract, settings_id

Values = dict[str, object]
"""Columns of a row of `thresholds`."""


def calibrate_threshold(
    context: Context,
    *,
    protocol: str,
    images: str | None,
    pairs: str | None,
    target: float,
    review_target: float | None,
    gallery_size: int | None,
    enrolled: int,
    cohort_size: int | None,
    half: Half,
    seed: int,
    meant: Meant,
) -> Values:
    """Calibrate, and write what was found to `thresholds`; returns the row. The arguments are those of `rollcall
    calibrate`; gallery_size: persons, for the protocol open-set.

    Raises:
        InputError: malformed data, or data that cannot carry what is asked.
    """
    data = pairs if protocol == "pairs" else images
    if data is None:
        raise InputError("say what to measure on: " + ("--pairs FILE" if protocol == "pairs" else "--images URI"))
    review_target = min(10 * target, max(0.5, target)) if review_target is None else review_target
    if review_target < target:
        raise InputError(
            f"--review-target {review_target:g} is below --target {target:g}: every match would then also need a review"
        )
    _refuse_what_does_not_belong(protocol, pairs, gallery_size, enrolled, cohort_size, half)
    pair_list: list[LabelledPair] = []
    photos: list[LabelledPhoto] = []
    if protocol == "pairs":
        pair_list = read_labelled_pairs(context, data, images)
    else:
        photos = read_labelled_photos(context, data, half, seed)
    agreed = verified_contract(context.settings.spec())
    with ledger.run(context, review_target=review_target, gallery_size=gallery_size) as run:
        run.digests.update(contract=agreed.contract_id, settings=settings_id(context.settings.spec()))
        on = CalibrationData(data, half, seed)
        if protocol == "pairs":
            found = _on_pairs(context, agreed, pair_list, target, review_target, seed, meant)
            return _kept(context, agreed, found, protocol, target, review_target, on, run)
        assert gallery_size is not None
        faces = MeantFaces.of(context, [photo.uri for photo in photos], agreed, meant)
        return calibrate_on_photos(
            context, agreed, photos, faces, target, review_target, gallery_size, enrolled, cohort_size, on, run
        )


def _refuse_what_does_not_belong(
    protocol: str, pairs: str | None, gallery_size: int | None, enrolled: int, cohort_size: int | None, half: Half
) -> None:
    """Options that would be ignored."""
    if protocol != "pairs" and pairs is not None:
        raise InputError("--pairs belongs to --protocol pairs")
    if protocol == "pairs" and (gallery_size or cohort_size or enrolled != 1 or half != "both"):
        raise InputError("--gallery-size, --enrolled, --cohort and --half belong to --protocol open-set")


@dataclass(frozen=True)
class CalibrationData:
    """What a threshold is calibrated on, as the table `thresholds` has it."""

    data: str
    half: Half
    seed: int


def calibrate_on_photos(
    context: Context,
    agreed: Contract,
    photos: list[LabelledPhoto],
    faces: MeantFaces,
    target: float,
    review_target: float,
    gallery_size: int,
    enrolled: int,
    cohort_size: int | None,
    on: CalibrationData,
    run: ledger.Run,
) -> Values:
    """Calibrate by searches for the faces of photos, and write what was found; returns the row.

    Raises:
        InputError: data that cannot carry what is asked.
    """
    floor = context.settings.keep_floor(agreed.embedder)
    if agreed.embedder not in context.settings.thresholds:
        context.log.info(
            f"{context.job}: the settings have no thresholds for {agreed.embedder!r}; pairs less similar than"
            f" {floor:g} are left out"
        )
    cohort = Cohort.drawn(agreed.contract_id, photos, faces, cohort_size, on.seed)
    searched = _searched(photos, faces, cohort, enrolled, on.seed)
    trials = searched.trials(floor, None if cohort is None else cohort.vectors)
    if cohort is not None and cohort_size is None and trials.mated.any():
        missed, plainly = (_missed(of, gallery_size, target) for of in (trials, searched.trials(floor)))
        helps = missed < plainly
        context.log.info(
            f"{context.job}: at FPIR {target:g}, {missed:.4f} of the searches miss their person with a cohort,"
            f" {plainly:.4f} without: scores are {'' if helps else 'not '}normalised by one"
        )
        if not helps:
            cohort, trials = None, _searched(photos, faces, None, enrolled, on.seed).trials(floor)
    found = _on_searches(trials, gallery_size, target, review_target, on.seed)
    found["stranger_rates"] = _stranger_rates(_searched(photos, faces, None, enrolled, on.seed).trials(floor))
    found["cohort_id"] = None if cohort is None else cohort.cohort_id
    if cohort is not None:
        cohort.write(context, agreed.contract_id, run.run_id)
    return _kept(context, agreed, found, "open-set", target, review_target, on, run)


def _kept(
    context: Context,
    agreed: Contract,
    found: Values,
    protocol: str,
    target: float,
    review_target: float,
    on: CalibrationData,
    run: ledger.Run,
) -> Values:
    row = found | {
        "threshold_id": stable_id("threshold", run.run_id),
        "protocol": protocol,
        "contract_id": agreed.contract_id,
        "target": target,
        "review_target": review_target,
        "data": on.data,
        "half": on.half,
        "seed": on.seed,
        "created_at": datetime.now(UTC),
        "run_id": run.run_id,
    }
    note_contract(context, agreed)
    values = tuple(row[name] for name in THRESHOLDS.names)
    context.tables.append("thresholds", local_frame(context.spark, [values], THRESHOLDS.schema))
    return row


def _stranger_rates(trials: Trials) -> list[dict[str, float]] | None:
    """As a column of `thresholds`. trials: of similarities that are not normalised, of all photos."""
    rates = StrangerRates.of(trials)
    if rates is None:
        return None
    both = zip(rates.similarity.tolist(), rates.rate.tolist(), strict=True)
    return [{"similarity": similarity, "rate": rate} for similarity, rate in both]


def _searched(
    photos: list[LabelledPhoto], faces: MeantFaces, cohort: Cohort | None, enrolled: int, seed: int
) -> SearchedPhotos:
    """The searches of those who are not in the cohort."""
    aside = set() if cohort is None else set(cohort.persons)
    return SearchedPhotos.of([photo for photo in photos if photo.person not in aside], faces, enrolled, seed)


def _missed(trials: Trials, size: int, target: float) -> float:
    """FNIR at the target, in a gallery of this size or of the largest that can be drawn from the persons."""
    size = min(size, int(COUNTED * trials.persons))
    return trials.fnir(size, trials.threshold_at(size, target))


def _on_searches(trials: Trials, size: int, target: float, review_target: float, seed: int) -> Values:
    found, review = (calibrated(trials, size, rate, seed=seed) for rate in (target, review_target))
    return {
        **_described(found),
        "review_threshold": min(review.threshold, found.threshold),
        "gallery_size": size,
        "intercept": None,
        "slope": None,
        "persons": trials.persons,
        "searches": len(trials.of),
    }


def _described(found: Calibration) -> Values:
    return {
        "threshold": found.threshold,
        "threshold_low": found.threshold_interval.low,
        "threshold_high": found.threshold_interval.high,
        "rate_low": found.fpir_interval.low,
        "rate_high": found.fpir_interval.high,
        "method": found.method,
    }


def _on_pairs(
    context: Context,
    agreed: Contract,
    pairs: list[LabelledPair],
    target: float,
    review_target: float,
    seed: int,
    meant: Meant,
) -> Values:
    uris = [uri for pair in pairs for uri in (pair.left, pair.right)]
    comparisons = ComparedPairs.of(pairs, MeantFaces.of(context, uris, agreed, meant)).comparisons
    curve = Curve.of(comparisons)
    if not curve.supports(target):
        raise InputError(
            f"FMR {target:g} takes {int(np.ceil(3 / target)):,} non-mated pairs or more; there are"
            f" {curve.non_mated:,.0f}"
        )
    threshold, rate = _pair_intervals(comparisons, target, seed)
    probability = Probability.of(comparisons)
    found = curve.threshold_at(target)
    return {
        "threshold": found,
        "threshold_low": threshold.low,
        "threshold_high": threshold.high,
        "rate_low": rate.low,
        "rate_high": rate.high,
        "review_threshold": min(curve.threshold_at(review_target), found),
        "method": "counted",
        "gallery_size": None,
        "intercept": probability.intercept,
        "slope": probability.slope,
        "cohort_id": None,
        "stranger_rates": None,
        "persons": len({name for pair in pairs for name in (pair.left_person, pair.right_person) if name is not None}),
        "searches": int(curve.non_mated),
    }


def _pair_intervals(comparisons: Comparisons, target: float, seed: int) -> tuple[Interval, Interval]:
    """Of the threshold, and of the FMR that others would find: set on one draw of persons, measured on another."""
    others = comparisons.weights(seed + 1)

    def measure(weight: np.ndarray) -> dict[str, float]:
        threshold = Curve.of(comparisons, weight).threshold_at(target)
        return {"threshold": threshold, "rate": Curve.of(comparisons, next(others)).at(threshold)[0]}

    found = intervals(measure, comparisons.weights(seed))
    return found["threshold"], found["rate"]
