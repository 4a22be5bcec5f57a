"""An evaluation as a page, and its figures as lines of text."""

from collections.abc import Sequence

import numpy as np

from evaluation.calibration import COUNTED, beyond
from evaluation.figures import FPIRS, Figure, differential
from evaluation.verification import Curve
from jobs.decisions.measure import Measured, OperatingPoint, PairsMeasured, SearchesMeasured
from jobs.decisions.trials import ComparedPairs, SearchedPhotos
from jobs.faces.lookup import MeantFaces
from jobs.reports.figures import line_of, range_of, value_of
from jobs.reports.thumbnails import thumbnail
from jobs.run.context import Context
from pages import plots
from pages.plots import Line, Plot
from pages.report import Error, Errors, Headline, Report, ReportTable, Side
from udfs.vision.contract import Contract, settings_id
from udfs.vision.speed import settled

Array = np.ndarray

WORST = 12
"""Errors of each kind that are shown."""

_NAMES = {
    "accuracy": "accuracy",
    "accuracy_of_folds": "accuracy by folds",
    "accuracy_of_folds_standard_error": "its standard error",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "fmr": "FMR",
    "fnmr": "FNMR",
    "auc": "area under the ROC",
    "eer": "EER",
    "tar": "TAR at FAR",
    "true_matches": "mated pairs accepted",
    "false_matches": "non-mated pairs accepted",
    "true_non_matches": "non-mated pairs refused",
    "false_non_matches": "mated pairs refused",
    "not_compared": "pairs without two faces",
    "fpir": "FPIR",
    "fnir": "FNIR",
    "fnir_rank_1": "FNIR, rank 1",
    "fnir_at_fpir": "FNIR at FPIR",
    "threshold_at_fpir": "threshold at FPIR",
    "identified_within": "found within rank",
    "failure_to_enrol": "enrolment photos without a face",
    "failure_to_acquire": "other photos without a face",
}


def line(figure: Figure) -> str:
    """One figure as a line."""
    return line_of(_name(figure), figure)


def page(context: Context, agreed: Contract, measured: Measured, grouped_by: str | None) -> Report:
    """The page of an evaluation."""
    if isinstance(measured, PairsMeasured):
        return _page_of_pairs(context, agreed, measured, grouped_by)
    assert isinstance(measured, SearchesMeasured)
    return _page_of_searches(context, agreed, measured, grouped_by)


def _page_of_pairs(context: Context, agreed: Contract, measured: PairsMeasured, grouped_by: str | None) -> Report:
    found, compared, threshold = measured.figures, measured.compared, measured.threshold
    comparisons = compared.comparisons
    curve = Curve.of(comparisons)
    there = np.isfinite(comparisons.similarity)
    mated, others = (comparisons.similarity[there & kind] for kind in (comparisons.mated, ~comparisons.mated))
    shown = [
        plots.roc(Line("", curve.fmr, 1 - curve.fnmr)),
        plots.det([Line("", curve.fmr, curve.fnmr)], "FMR", "FNMR", "Down and to the left is better."),
        plots.histogram(mated, others, threshold, "similarity of a pair"),
    ]
    tables = [_figures("Figures", found[""]), *_groups(found, grouped_by, ("accuracy", "fmr", "fnmr", "tar"), "fnmr")]
    return Report(
        title="1:1 verification",
        lead=(
            f"{len(comparisons):,} pairs, of which {int(comparisons.mated.sum()):,} show one person. A pair is accepted"
            f" from a similarity of {threshold:.4f}. Ranges are 95% intervals over persons."
        ),
        headline=_headlines(found[""], ("accuracy_of_folds", "accuracy", "fmr", "fnmr", "eer", "auc")),
        plots=shown,
        tables=tables,
        errors=_wrong_pairs(compared, threshold),
        facts=[("threshold", f"{threshold:.6f} ({measured.source})"), *_facts(context, agreed, compared.faces)],
    )


def _page_of_searches(context: Context, agreed: Contract, measured: SearchesMeasured, grouped_by: str | None) -> Report:
    found, searched, points = measured.figures, measured.searched, measured.points
    largest = max(points, key=lambda point: point.gallery_size)
    trials = largest.trials
    own = trials.own[trials.mated]
    others = trials.nearest_other
    shown = [
        plots.det(
            [_det(point) for point in points],
            "FPIR",
            "FNIR",
            "Down and to the left is better; each line is a gallery of that many persons.",
        ),
        plots.histogram(
            own[np.isfinite(own)],
            others[np.isfinite(others)],
            largest.threshold,
            f"score of oneself, and of the nearest of {trials.persons - 1:,} others",
        ),
        plots.cmc([_cmc(point) for point in points]),
        _by_size(largest),
    ]
    rates = ("fpir", "fnir", "fnir_at_fpir", "identified_within")
    return Report(
        title="1:N identification",
        lead=(
            f"{len(searched.photos):,} photos of {len(searched.persons):,} persons. Every figure is the expectation"
            " over all galleries of its size that can be drawn from them. Ranges are 95% intervals over persons."
        ),
        headline=_headlines(
            [figure for figure in found[""] if figure.gallery_size in (None, largest.gallery_size)],
            ("fpir", "fnir", "fnir_at_fpir", "identified_within"),
        ),
        plots=shown,
        tables=[_figures("Figures", found[""]), *_groups(found, grouped_by, rates, "fnir")],
        errors=_wrong_searches(searched, largest),
        facts=[
            *[
                (f"threshold at {point.gallery_size:,} persons", f"{point.threshold:.6f} ({point.source})")
                for point in points
            ],
            *_facts(context, agreed, searched.faces),
        ],
    )


def _det(point: OperatingPoint) -> Line:
    """FNIR against FPIR at evenly spaced thresholds."""
    trials, size = point.trials, point.gallery_size
    thresholds = np.linspace(trials.similarity[-1], trials.similarity[0], 80) if len(trials.similarity) else [0.0]
    rates = np.array([(trials.fpir(size, t), trials.fnir(size, t)) for t in thresholds])
    return Line(f"{size:,} persons", rates[:, 0], rates[:, 1])


def _cmc(point: OperatingPoint) -> Line:
    size, ranks = point.gallery_size, min(20, point.gallery_size)
    return Line(f"{size:,} persons", np.arange(1, ranks + 1), point.trials.cmc(size, ranks))


def _by_size(point: OperatingPoint) -> Plot:
    trials, threshold = point.trials, point.threshold
    most = int(COUNTED * trials.persons)
    sizes = np.unique(np.geomspace(min(10, most), most, 15).astype(int))
    measured = Line("measured", sizes, np.array([trials.fpir(int(size), threshold) for size in sizes]))
    band = beyond(trials, np.unique(np.geomspace(most, 20 * most, 15).astype(int)), threshold)
    lines = [] if band is None else [Line("by the tail, 95%", band.sizes, band.rates, band.low, band.high)]
    caption = f"At one threshold, {threshold:.4f}: the larger the gallery, the more strangers resemble someone in it."
    return plots.by_gallery_size(measured, lines, None, caption)


def _wrong_pairs(compared: ComparedPairs, threshold: float) -> list[Errors]:
    scores, mated = compared.comparisons.similarity, compared.comparisons.mated
    accepted = scores >= threshold
    kinds = (
        ("Accepted, and not one person", np.flatnonzero(accepted & ~mated), -scores),
        ("Refused, and one person", np.flatnonzero(~accepted & mated), scores),
    )
    shown = []
    for title, which, badness in kinds:
        worst = which[np.argsort(badness[which], kind="stable")][:WORST]
        errors = []
        for at in worst:
            pair = compared.pairs[at]
            sides = [
                thumbnail(compared.faces, int(place), person or uri.rpartition("/")[2])
                for place, person, uri in (
                    (compared.left[at], pair.left_person, pair.left),
                    (compared.right[at], pair.right_person, pair.right),
                )
            ]
            what = f"similarity {scores[at]:.3f}" if np.isfinite(scores[at]) else "not compared"
            errors.append(Error(what, *sides))
        shown.append(Errors(f"{title}: {len(which):,}", "None.", errors))
    return shown


def _wrong_searches(searched: SearchedPhotos, point: OperatingPoint) -> list[Errors]:
    trials, threshold = point.trials, point.threshold
    enrolled = {searched.photos[at].person: int(searched.places[at]) for at in np.flatnonzero(searched.enrolled)}
    foreign = trials.person != trials.of[trials.probe]
    alike = np.flatnonzero(foreign & (trials.similarity >= threshold))
    strangers = [
        Error(
            f"score {trials.similarity[row]:.3f}",
            _photo(searched, int(trials.probe[row])),
            thumbnail(
                searched.faces, enrolled[searched.persons[trials.person[row]]], searched.persons[trials.person[row]]
            ),
        )
        for row in alike[:WORST]
    ]
    missed = np.flatnonzero(trials.mated & (trials.own < threshold))
    missed = missed[np.argsort(trials.own[missed], kind="stable")]
    unseen = [
        Error(
            f"score {trials.own[at]:.3f}" if np.isfinite(trials.own[at]) else "below what is kept, or no face",
            _photo(searched, int(at)),
            thumbnail(searched.faces, enrolled[searched.photos[at].person], searched.photos[at].person),
        )
        for at in missed[:WORST]
    ]
    return [
        Errors(f"Taken for someone else: {len(alike):,} of all pairs of a photo and a person", "None.", strangers),
        Errors(f"Not found again: {len(missed):,}", "None.", unseen),
    ]


def _photo(searched: SearchedPhotos, at: int) -> Side:
    return thumbnail(searched.faces, int(searched.places[at]), searched.photos[at].person)


def _headlines(figures: Sequence[Figure], metrics: Sequence[str]) -> list[Headline]:
    shown = [figure for metric in metrics for figure in figures if figure.metric == metric and figure.value is not None]
    return [Headline(_name(figure), value_of(figure), range_of(figure)) for figure in shown if _is_brief(figure)]


def _is_brief(figure: Figure) -> bool:
    """Of the figures that are stated at several rates or ranks, the one that is read first."""
    return {"identified_within": 1, "fnir_at_fpir": FPIRS[1]}.get(figure.metric, figure.at) == figure.at


def _figures(title: str, figures: Sequence[Figure]) -> ReportTable:
    """One row a figure; with a column for each size of the gallery, where there are some."""
    note = "not supported: fewer than three errors would be expected in so many pairs or searches."
    sizes = sorted({figure.gallery_size for figure in figures if figure.gallery_size is not None})
    if not sizes:
        of_pairs = [(_name(figure), value_of(figure), range_of(figure), f"{figure.count:,}") for figure in figures]
        return ReportTable(title, ["figure", "value", "95% interval", "of"], of_pairs, [1, 2, 3], note)
    cells: dict[str, dict[int, str]] = {}
    for figure in figures:
        of_name = cells.setdefault(_name(figure), {})
        of_name.update(dict.fromkeys(sizes if figure.gallery_size is None else [figure.gallery_size], _cell(figure)))
    rows = [(name, *(of_name.get(size, "") for size in sizes)) for name, of_name in cells.items()]
    searches, mated = (
        next((f"{figure.count:,}" for figure in figures if figure.metric == metric), "0") for metric in ("fpir", "fnir")
    )
    note = f"FPIR of {searches} searches; FNIR and ranks of {mated} for persons with another photo; {note}"
    columns = ["figure", *(f"{size:,} persons" for size in sizes)]
    return ReportTable(title, columns, rows, list(range(1, len(columns))), note)


def _groups(
    found: dict[str, list[Figure]], grouped_by: str | None, metrics: Sequence[str], compared_by: str
) -> list[ReportTable]:
    """One row a group and size of the gallery, one column a figure."""
    if grouped_by is None:
        return []
    of_groups = {group: figures for group, figures in found.items() if group}
    shown = [
        (group, figure)
        for group, figures in of_groups.items()
        for figure in figures
        if figure.metric in metrics and figure.value is not None and _is_brief(figure)
    ]
    names = list(dict.fromkeys(_name(figure) for _, figure in shown))
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for group, figure in shown:
        size = "" if figure.gallery_size is None else f"{figure.gallery_size:,}"
        cells.setdefault((group, size), {})[_name(figure)] = _cell(figure)
    largest = max((figure.gallery_size or 0 for _, figure in shown), default=0)
    of_one_size = {
        group: [figure for figure in figures if (figure.gallery_size or 0) in (0, largest)]
        for group, figures in of_groups.items()
    }
    ratio = differential(of_one_size, compared_by)
    among = f" among {largest:,} persons" if largest else ""
    note = (
        f"{_NAMES[compared_by]} of {ratio[1]} is {ratio[0]:.1f} times that of {ratio[2]}{among}."
        if ratio
        else f"Fewer than two groups have any errors{among}, so that their {_NAMES[compared_by]} cannot be compared."
    )
    sized = any(size for _, size in cells)
    rows = [
        (group, *([size] if sized else []), *(of_row.get(name, "") for name in names))
        for (group, size), of_row in cells.items()
    ]
    columns = [grouped_by, *(["persons"] if sized else []), *names]
    return [ReportTable(f"By {grouped_by}", columns, rows, list(range(1, len(columns))), note)]


def _cell(figure: Figure) -> str:
    return value_of(figure) if figure.interval is None else f"{value_of(figure)} ({range_of(figure)})"


def _facts(context: Context, agreed: Contract, faces: MeantFaces) -> list[tuple[str, str]]:
    spec = settled(context.settings.spec())
    outcomes = faces.outcomes(np.arange(faces.table.num_rows))
    return [
        ("images", ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items())),
        ("detector, embedder", f"{agreed.detector}, {agreed.embedder}"),
        ("precision", f"detector {spec.for_detector().precision}, embedder {spec.precision}, on {spec.device}"),
        ("contract", agreed.contract_id),
        ("settings", settings_id(spec)),
    ]


def _name(figure: Figure) -> str:
    name = _NAMES[figure.metric]
    if figure.metric in ("tar", "fnir_at_fpir", "threshold_at_fpir") and figure.at is not None:
        return f"{name} {figure.at:g}"
    if figure.metric == "identified_within":
        return f"{name} {figure.at:.0f}"
    return name
