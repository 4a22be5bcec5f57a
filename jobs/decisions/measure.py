"""Error rates are measured on labelled images: between pairs (1:1), and by searches in galleries (1:N)."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluation import figures as measured
from evaluation.bootstrap import Interval
from evaluation.figures import Figure
from evaluation.identification import Trials
from evaluation.verification import Curve, Folds
from jobs.decisions.cohort import Cohort
from jobs.decisions.thresholds import IdentificationThresholds, for_identification, for_verification
from jobs.decisions.trials import ComparedPairs, SearchedPhotos, listed_column
from jobs.faces.lookup import MeantFaces
from jobs.inputs.labelled import Half, LabelledPair, LabelledPhoto, read_labelled_pairs, read_labelled_photos
from jobs.run.context import Context
from udfs.errors import InputError
from udfs.records import Meant
from udfs.vision.contract import Contract

Array = np.ndarray

SIZES = (100, 300, 1000)
"""Persons in the galleries that are measured, unless others are asked for."""


@dataclass(frozen=True)
class EvaluationRequest:
    """What is to be measured; the arguments of `rollcall evaluate`."""

    protocol: str
    pairs: str | None
    images: str | None
    threshold: float | None
    threshold_from: str | None
    sizes: tuple[int, ...]
    enrolled: int
    half: Half
    seed: int
    meant: Meant
    group_by: str | None

    @property
    def data(self) -> str:
        """The list of pairs, or the photos.

        Raises:
            InputError: what the protocol needs was not said.
        """
        found = self.pairs if self.protocol == "pairs" else self.images
        if found is None:
            said = "--pairs FILE" if self.protocol == "pairs" else "--images URI"
            raise InputError(f"say what to measure on: {said}")
        return found


@dataclass(frozen=True)
class HeldRate:
    """A false-positive rate, and the id of the threshold it was measured at."""

    figure: Figure
    threshold_id: str


@dataclass(frozen=True)
class Measured(ABC):
    """figures: by group; those under "" are of all data."""

    figures: dict[str, list[Figure]]

    @abstractmethod
    def held_rates(self) -> list[HeldRate]:
        """The rates that a calibration states."""


@dataclass(frozen=True)
class PairsMeasured(Measured):
    """A 1:1 evaluation: the pairs, and the threshold that decided, with where it comes from."""

    compared: ComparedPairs
    threshold: float
    source: str

    def held_rates(self) -> list[HeldRate]:
        return [HeldRate(figure, self.source) for figure in self.figures[""] if figure.metric == "fmr"]


@dataclass(frozen=True)
class OperatingPoint:
    """The threshold at one size of the gallery, where it comes from, and the searches, with their scores."""

    gallery_size: int
    threshold: float
    source: str
    trials: Trials


@dataclass(frozen=True)
class SearchesMeasured(Measured):
    """A 1:N evaluation: the photos that were searched for, at each size of the gallery."""

    searched: SearchedPhotos
    points: list[OperatingPoint]

    def held_rates(self) -> list[HeldRate]:
        source = {point.gallery_size: point.source for point in self.points}
        rates = [figure for figure in self.figures[""] if figure.metric == "fpir"]
        return [HeldRate(figure, source[figure.gallery_size]) for figure in rates if figure.gallery_size is not None]


Measurement = Callable[[Contract], Measured]
"""Measures, once the contract has been verified; the data have been read."""


def prepare(context: Context, request: EvaluationRequest) -> Measurement:
    """Read what is to be measured on.

    Raises:
        InputError: malformed data, or options that belong to the other protocol.
    """
    if request.protocol == "pairs":
        return _prepare_pairs(context, request)
    return _prepare_searches(context, request)


# --- 1:1 ------------------------------------------------------------------------------------------------------


def _prepare_pairs(context: Context, request: EvaluationRequest) -> Measurement:
    if request.sizes or request.half != "both":
        raise InputError("--gallery-size and --half belong to --protocol open-set")
    if request.threshold is not None and request.threshold_from:
        raise InputError("--threshold and --threshold-from both say what decides; give one of them")
    pairs = read_labelled_pairs(context, request.data, request.images)
    if request.group_by:
        listed_column(request.group_by, [pair.more for pair in pairs], "pairs")  # refused before images are opened
    others: list[LabelledPair] | None = None
    if request.threshold_from:
        others = read_labelled_pairs(context, request.threshold_from, request.images)
    return lambda agreed: _measure_pairs(context, agreed, request, pairs, others)


def _measure_pairs(
    context: Context,
    agreed: Contract,
    request: EvaluationRequest,
    pairs: list[LabelledPair],
    others: list[LabelledPair] | None,
) -> PairsMeasured:
    compared = _compared(context, agreed, request, pairs)
    threshold, source, folds = _pair_threshold(context, agreed, request, compared, others)

    def figures_of(which: Array) -> list[Figure]:
        return measured.of_pairs(compared.comparisons.taken(which), threshold, request.seed)

    found = {"": figures_of(np.arange(len(compared.pairs)))}
    if folds is not None:
        found[""] += _of_folds(folds, len(compared.pairs))
    if request.group_by:
        found |= _by_group(context, request.group_by, compared.column(request.group_by), figures_of)
    return PairsMeasured(found, compared, threshold, source)


def _compared(
    context: Context, agreed: Contract, request: EvaluationRequest, pairs: list[LabelledPair]
) -> ComparedPairs:
    uris = [uri for pair in pairs for uri in (pair.left, pair.right)]
    return ComparedPairs.of(pairs, MeantFaces.of(context, uris, agreed, request.meant))


def _pair_threshold(
    context: Context,
    agreed: Contract,
    request: EvaluationRequest,
    compared: ComparedPairs,
    others: list[LabelledPair] | None,
) -> tuple[float, str, Folds | None]:
    """The threshold, where it comes from, and the accuracy by folds where there are some."""
    fold = np.array([pair.fold for pair in compared.pairs])
    folds = Folds.of(compared.comparisons, fold) if len(np.unique(fold)) > 1 else None
    if request.threshold is not None:
        return request.threshold, "--threshold", folds
    if others is not None:
        best = Curve.of(_compared(context, agreed, request, others).comparisons).best_threshold
        return best, f"best on {len(others):,} pairs of {request.threshold_from}", folds
    if folds is not None:
        return float(np.median(folds.thresholds)), "median of the folds' thresholds", folds
    standing = for_verification(context, agreed)
    return standing.match, standing.threshold_id, folds


def _of_folds(folds: Folds, pairs: int) -> list[Figure]:
    error = folds.standard_error
    around = Interval(folds.mean - 1.96 * error, folds.mean + 1.96 * error)
    return [
        Figure("accuracy_of_folds", folds.mean, around, pairs),
        Figure("accuracy_of_folds_standard_error", error, None, len(folds.accuracies)),
    ]


# --- 1:N ------------------------------------------------------------------------------------------------------


def _prepare_searches(context: Context, request: EvaluationRequest) -> Measurement:
    if request.pairs or request.threshold_from:
        raise InputError("--pairs and --threshold-from belong to --protocol pairs")
    photos = read_labelled_photos(context, request.data, request.half, request.seed)
    if request.group_by:
        listed_column(request.group_by, [photo.more for photo in photos], "photos")
    return lambda agreed: _measure_searches(context, agreed, request, photos)


def _measure_searches(
    context: Context, agreed: Contract, request: EvaluationRequest, photos: list[LabelledPhoto]
) -> SearchesMeasured:
    thresholds = {size: _thresholds(context, agreed, request, size) for size in _sizes(request, photos)}
    cohorts = {
        each.cohort_id: Cohort.read(context, each.cohort_id)
        for each in thresholds.values()
        if each.cohort_id is not None
    }
    cohort_persons = {person for cohort in cohorts.values() for person in cohort.persons}
    remaining = [photo for photo in photos if photo.person not in cohort_persons]
    if len(remaining) < len(photos):
        persons = len({photo.person for photo in photos} & cohort_persons)
        context.log.info(f"evaluate: {persons:,} persons are in the cohort of the calibration, and are left out")
    if not remaining:
        raise InputError("all persons are in the cohort of the calibration; evaluate on photos of others")
    faces = MeantFaces.of(context, [photo.uri for photo in remaining], agreed, request.meant)
    searched = SearchedPhotos.of(remaining, faces, request.enrolled, request.seed)
    floor = context.settings.keep_floor(agreed.embedder)
    trials = {
        cohort_id: searched.trials(floor, None if cohort_id is None else cohorts[cohort_id].vectors)
        for cohort_id in {each.cohort_id for each in thresholds.values()}
    }
    points = [
        OperatingPoint(size, thresholds[size].match, thresholds[size].threshold_id, trials[thresholds[size].cohort_id])
        for size in _sizes(request, remaining)
    ]

    def figures_of(which: Array) -> list[Figure]:
        whole = len(which) == len(remaining)
        return [
            figure
            for point in points
            for figure in measured.of_searches(
                point.trials if whole else point.trials.taken(which), point.gallery_size, point.threshold, request.seed
            )
        ]

    found = {"": [*figures_of(np.arange(len(remaining))), *_failures(searched)]}
    if request.group_by:
        found |= _by_group(context, request.group_by, searched.column(request.group_by), figures_of)
    return SearchesMeasured(found, searched, points)


def _sizes(request: EvaluationRequest, photos: list[LabelledPhoto]) -> tuple[int, ...]:
    """The sizes of galleries, of those that can be drawn from the persons of these photos unless any are asked for."""
    persons = len({photo.person for photo in photos})
    sizes = request.sizes or tuple(size for size in SIZES if size <= 0.8 * persons)
    if not sizes:
        raise InputError(
            f"{persons:,} persons are too few for a gallery of {SIZES[0]}; name a smaller one with --gallery-size"
        )
    return sizes


def _thresholds(context: Context, agreed: Contract, request: EvaluationRequest, size: int) -> IdentificationThresholds:
    if request.threshold is not None:
        return IdentificationThresholds(request.threshold, request.threshold, "--threshold")
    return for_identification(context, agreed.contract_id, agreed.embedder, size)


def _failures(searched: SearchedPhotos) -> list[Figure]:
    """Photos without a face: of those to enrol, and of those to search for."""
    there = searched.faces.there[searched.places]
    rates = []
    for name, which in (("failure_to_enrol", searched.enrolled), ("failure_to_acquire", ~searched.enrolled)):
        count = int(which.sum())
        rates.append(Figure(name, float((~there[which]).mean()) if count else None, None, count))
    return rates


def _by_group(
    context: Context, column: str, values: list[object], figures_of: Callable[[Array], list[Figure]]
) -> dict[str, list[Figure]]:
    found = {}
    groups = measured.parts(values)
    for name in measured.in_order(values, groups):
        try:
            found[str(name)] = figures_of(np.flatnonzero(groups == name))
        except InputError as error:
            context.log.warning(f"evaluate: {column} = {name}: {error}")
    return found
