"""evaluate: how often it is wrong, on images of which it is known who they show."""

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
import numpy as np

from evaluation import figures as measured
from evaluation.bootstrap import Interval
from evaluation.figures import Figure
from evaluation.verification import Curve, Folds
from jobs import labelled, ledger, reports
from jobs.cohort import Cohort
from jobs.labelled import ComparedPairs, Half, LabelledPair, LabelledPhoto, Searched
from jobs.options import Context, Number, job_command, run_command
from jobs.reports import Point
from jobs.seen import MEANT, Faces, Meant
from jobs.thresholds import Standard, for_identification, for_verification
from jobs.vision import note_contract, verified_contract
from schemas.catalog import EVALUATIONS
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.vision.contract import Contract, settings_id

Array = np.ndarray

SIZES = (100, 300, 1000)


@job_command("evaluate")
@click.option("--protocol", type=click.Choice(["pairs", "open-set"]), required=True, help="1:1, or 1:N.")
@click.option(
    "--pairs",
    metavar="FILE",
    help="Labelled pairs: a .txt in LFW's format, or a CSV, Parquet or Delta table with left, right, mated.",
)
@click.option(
    "--images",
    metavar="URI",
    help="The folder PERSON/photo.jpg that LFW's names are in; for open-set also a table with person_id, uri.",
)
@click.option("--threshold", type=Number(), help="Decide by this similarity.  [default: the threshold in force]")
@click.option("--threshold-from", metavar="FILE", help="Decide by the threshold that is best on these other pairs.")
@click.option("--gallery-size", "sizes", type=click.IntRange(min=1), multiple=True, help="Persons in the gallery.")
@click.option("--enrolled", type=click.IntRange(min=1), default=1, show_default=True, help="Photos a person to enrol.")
@click.option(
    "--half",
    type=click.Choice(["both", "first", "second"]),
    default="both",
    show_default=True,
    help="Only one half of the persons: calibrate on the first, evaluate on the second.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Draws halves and enrolled photos."
)
@click.option(
    "--face",
    "meant",
    type=click.Choice(MEANT),
    default="middle",
    show_default=True,
    help="Of several faces in an image: the largest, the one nearest the middle, or none of them.",
)
@click.option("--group-by", metavar="COLUMN", help="Also by the values of a column, or by size, sharpness, brightness.")
@click.option(
    "--check",
    is_flag=True,
    help="Fail if a false-positive rate at the threshold in force is above the interval its calibration states.",
)
@click.option(
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="For report.html and figures.json.",
)
def command(context: Context, **arguments: object) -> None:
    """Measure error rates on labelled images.

    \b
    rollcall evaluate --tables ./tables --protocol pairs --pairs pairs.txt --images ./lfw --output ./report
    rollcall evaluate --tables ./tables --protocol open-set --images ./lfw --gallery-size 300 --output ./report

    Figures are appended to the table evaluations, with 95% intervals over persons. Images without a face count: as
    misses if somebody should have been found.
    """
    evaluate(context, **arguments)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Asked:
    """What is to be measured; the arguments of `evaluate`."""

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


@dataclass(frozen=True)
class Evaluated:
    """What was measured: figures by group (the empty one is all), and what the page shows beside them."""

    figures: dict[str, list[Figure]]
    report: Callable[[], reports.Report]


def evaluate(
    context: Context,
    *,
    protocol: str,
    pairs: str | None = None,
    images: str | None = None,
    threshold: float | None = None,
    threshold_from: str | None = None,
    sizes: tuple[int, ...] = (),
    enrolled: int = 1,
    half: Half = "both",
    seed: int = 0,
    meant: Meant = "middle",
    group_by: str | None = None,
    check: bool = False,
    output: Path | None = None,
) -> dict[str, list[Figure]]:
    """Measure, write the figures to `evaluations`, and the page and JSON below `output`; returns them by group.

    Raises:
        InputError: malformed data, one kind of pairs only, too few persons; the message says which.
        RuntimeError: `check`, and a rate is above what its calibration states.
    """
    asked = Asked(pairs, images, threshold, threshold_from, sizes, enrolled, half, seed, meant, group_by)
    data = pairs if protocol == "pairs" else images
    if data is None:
        raise InputError("say what to measure on: " + ("--pairs FILE" if protocol == "pairs" else "--images URI"))
    measure = (_pairs if protocol == "pairs" else _open_set)(context, asked)
    agreed = verified_contract(context.settings.spec())
    arguments = {"protocol": protocol, **asdict(asked)}
    with ledger.run(context.spark, context.tables, "evaluate", arguments) as run:
        run.digests.update(contract=agreed.contract_id, settings=settings_id(context.settings.spec()))
        note_contract(context, agreed)
        done = measure(agreed)
        evaluation_id = stable_id("evaluation", run.run_id)
        _write(context, evaluation_id, protocol, agreed, data, asked, done, run)
        run.count("figures", sum(map(len, done.figures.values())))
        if output is not None:
            output.mkdir(parents=True, exist_ok=True)
            (output / "figures.json").write_text(_json(evaluation_id, protocol, agreed, data, asked, done), "utf-8")
            (output / "report.html").write_text(reports.html(done.report()), "utf-8")
            context.say(f"evaluate: {output / 'report.html'}")
    for figure in done.figures[""]:
        click.echo(reports.line(figure))
    if check:
        _check(context, done.figures[""])
    return done.figures


def _check(context: Context, figures: list[Figure]) -> None:
    """Hold the rates at calibrated thresholds against what the calibrations state.

    Raises:
        RuntimeError: one is above.
        InputError: no calibration decided.
    """
    stated = {row.threshold: row for row in context.tables.read_or_empty("thresholds").collect()}
    held = [of for of in figures if of.metric in ("fpir", "fmr") and of.at in stated and of.value is not None]
    if not held:
        raise InputError("--check: no calibration decided, so there is nothing to hold; run `rollcall calibrate`")
    for of in held:
        row = stated[of.at]
        if of.value > row.rate_high:
            raise RuntimeError(
                f"{of.metric.upper()} is {of.value:.4f}, above the {row.rate_low:.4f} to {row.rate_high:.4f} that"
                f" calibration {row.threshold_id} states for {row.target:g}; calibrate again, on images like these"
            )


def _pairs(context: Context, asked: Asked) -> Callable[[Contract], Evaluated]:
    """Read what is asked for; what is returned measures it."""
    if asked.sizes or asked.half != "both":
        raise InputError("--gallery-size and --half belong to --protocol open-set")
    assert asked.pairs is not None
    pairs = labelled.read_labelled_pairs(context, asked.pairs, asked.images)
    others = asked.threshold_from and labelled.read_labelled_pairs(context, asked.threshold_from, asked.images)
    return lambda agreed: _of_pairs(context, agreed, asked, pairs, others or None)


def _of_pairs(
    context: Context, agreed: Contract, asked: Asked, pairs: list[LabelledPair], others: list[LabelledPair] | None
) -> Evaluated:
    compared = _compared(context, agreed, asked, pairs)
    threshold, source, folds = _pair_threshold(context, agreed, asked, compared, others)

    def of(which: Array) -> list[Figure]:
        return measured.of_pairs(compared.comparisons.taken(which), threshold, asked.seed)

    everything = np.arange(len(compared.pairs))
    found = {"": of(everything)}
    if folds is not None:
        found[""] += _of_folds(folds, len(compared.pairs))
    if asked.group_by:
        found |= _by_group(context, asked.group_by, compared.column(asked.group_by), of)
    return Evaluated(
        found, lambda: reports.of_pairs(context, agreed, compared, threshold, source, found, asked.group_by)
    )


def _compared(context: Context, agreed: Contract, asked: Asked, pairs: list[LabelledPair]) -> ComparedPairs:
    uris = [uri for pair in pairs for uri in (pair.left, pair.right)]
    return ComparedPairs.of(pairs, Faces.of(context, uris, agreed, asked.meant))


def _pair_threshold(
    context: Context, agreed: Contract, asked: Asked, compared: ComparedPairs, others: list[LabelledPair] | None
) -> tuple[float, str, Folds | None]:
    """The threshold, where it comes from, and the accuracy by folds where there are some."""
    fold = np.array([pair.fold for pair in compared.pairs])
    folds = Folds.of(compared.comparisons, fold) if len(np.unique(fold)) > 1 else None
    if asked.threshold is not None:
        return asked.threshold, "--threshold", folds
    if others is not None:
        best = Curve.of(_compared(context, agreed, asked, others).comparisons).best_threshold
        return best, f"best on {len(others):,} pairs of {asked.threshold_from}", folds
    if folds is not None:
        return float(np.median(folds.thresholds)), "the median of the folds'", folds
    standing = for_verification(context, agreed)
    return standing.match, standing.threshold_id, folds


def _of_folds(folds: Folds, pairs: int) -> list[Figure]:
    error = folds.standard_error
    around = Interval(folds.mean - 1.96 * error, folds.mean + 1.96 * error)
    return [
        Figure("accuracy_of_folds", folds.mean, around, pairs),
        Figure("accuracy_of_folds_standard_error", error, None, len(folds.accuracies)),
    ]


def _open_set(context: Context, asked: Asked) -> Callable[[Contract], Evaluated]:
    """Read what is asked for; what is returned measures it."""
    if asked.pairs or asked.threshold_from:
        raise InputError("--pairs and --threshold-from belong to --protocol pairs")
    assert asked.images is not None
    photos = labelled.read_labelled_photos(context, asked.images, asked.half, asked.seed)
    return lambda agreed: _of_searches(context, agreed, asked, photos)


def _of_searches(context: Context, agreed: Contract, asked: Asked, photos: list[LabelledPhoto]) -> Evaluated:
    standing = {size: _standing(context, agreed, asked, size) for size in _sizes(asked, photos)}
    cohorts = {of.cohort_id: Cohort.read(context, of.cohort_id) for of in standing.values() if of.cohort_id is not None}
    aside = {person for cohort in cohorts.values() for person in cohort.persons}
    left = [photo for photo in photos if photo.person not in aside]
    if len(left) < len(photos):
        persons = len({photo.person for photo in photos} & aside)
        context.say(f"evaluate: {persons:,} persons are in the cohort of the calibration, and are left out")
    faces = Faces.of(context, [photo.uri for photo in left], agreed, asked.meant)
    searched = Searched.of(left, faces, asked.enrolled, asked.seed)
    floor = context.settings.threshold(agreed.embedder).keep_floor
    trials = {
        key: searched.trials(floor, None if key is None else cohorts[key].vectors)
        for key in {of.cohort_id for of in standing.values()}
    }
    points = [
        Point(size, standing[size].match, standing[size].threshold_id, trials[standing[size].cohort_id])
        for size in _sizes(asked, left)
    ]

    def of(which: Array) -> list[Figure]:
        whole = len(which) == len(left)
        return [
            figure
            for point in points
            for figure in measured.of_searches(
                point.trials if whole else point.trials.taken(which), point.gallery_size, point.threshold, asked.seed
            )
        ]

    found = {"": [*of(np.arange(len(left))), *_failures(searched)]}
    if asked.group_by:
        found |= _by_group(context, asked.group_by, searched.column(asked.group_by), of)
    return Evaluated(found, lambda: reports.of_searches(context, agreed, searched, points, found, asked.group_by))


def _sizes(asked: Asked, photos: list[LabelledPhoto]) -> tuple[int, ...]:
    """The sizes of galleries, of those that can be drawn from the persons of these photos unless any are asked for."""
    persons = len({photo.person for photo in photos})
    sizes = asked.sizes or tuple(size for size in SIZES if size <= 0.8 * persons)
    if not sizes:
        raise InputError(f"{persons:,} persons are few; say --gallery-size")
    return sizes


def _standing(context: Context, agreed: Contract, asked: Asked, size: int) -> Standard:
    if asked.threshold is not None:
        return Standard(asked.threshold, asked.threshold, "--threshold")
    return for_identification(context, agreed.contract_id, agreed.embedder, size)


def _failures(searched: Searched) -> list[Figure]:
    """Photos without a face: of those to enrol, and of those to search for."""
    there = searched.faces.there[searched.places]
    rates = []
    for name, which in (("failure_to_enrol", searched.enrolled), ("failure_to_acquire", ~searched.enrolled)):
        count = int(which.sum())
        rates.append(Figure(name, float((~there[which]).mean()) if count else None, None, count))
    return rates


def _by_group(
    context: Context, column: str, values: list[object], of: Callable[[Array], list[Figure]]
) -> dict[str, list[Figure]]:
    found = {}
    groups = measured.parts(values)
    for name in measured.in_order(values, groups):
        try:
            found[str(name)] = of(np.flatnonzero(groups == name))
        except InputError as error:
            context.say(f"evaluate: {column} = {name}: {error}")
    return found


def _write(
    context: Context,
    evaluation_id: str,
    protocol: str,
    agreed: Contract,
    data: str,
    asked: Asked,
    done: Evaluated,
    run: ledger.Run,
) -> None:
    now = datetime.now(UTC)
    settings = settings_id(context.settings.spec())
    rows = [
        (
            *(evaluation_id, protocol, agreed.contract_id, settings, data, asked.half, asked.seed),
            *(
                figure.metric,
                None if figure.at is None else float(figure.at),
                figure.gallery_size,
                asked.group_by if group else "",
                group,
            ),
            figure.value,
            *((None, None) if figure.interval is None else figure.interval),
            *(figure.count, now, run.run_id),
        )
        for group, figures in done.figures.items()
        for figure in figures
    ]
    context.tables.append("evaluations", context.spark.createDataFrame(rows, EVALUATIONS.schema))


def _json(evaluation_id: str, protocol: str, agreed: Contract, data: str, asked: Asked, done: Evaluated) -> str:
    figures = [
        {"group": group, **asdict(figure), "interval": None if figure.interval is None else list(figure.interval)}
        for group, of_group in done.figures.items()
        for figure in of_group
    ]
    for figure in figures:
        if isinstance(figure["at"], float) and not math.isfinite(figure["at"]):
            figure["at"] = None
    document = {
        "evaluation_id": evaluation_id,
        "protocol": protocol,
        "contract_id": agreed.contract_id,
        "data": data,
        "arguments": asdict(asked),
        "figures": figures,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


if __name__ == "__main__":
    run_command(command)
