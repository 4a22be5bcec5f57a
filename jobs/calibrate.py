"""calibrate: the threshold that holds a stated error rate at the gallery's real size."""

from datetime import UTC, datetime

import click
import numpy as np

from evaluation.bootstrap import Interval, intervals
from evaluation.calibration import Calibration, Probability
from evaluation.calibration import calibrate as calibrated
from evaluation.identification import Trials
from evaluation.verification import Comparisons, Curve
from jobs import labelled, ledger
from jobs.cohort import LARGEST, Cohort
from jobs.gallery import Gallery
from jobs.labelled import ComparedPairs, Half, LabelledPair, LabelledPhoto, Searched
from jobs.options import Context, Number, job_command, run_command
from jobs.seen import MEANT, Faces, Meant
from jobs.vision import note_contract, verified_contract
from schemas.catalog import THRESHOLDS
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.vision.contract import Contract, settings_id


@job_command("calibrate")
@click.option(
    "--protocol", type=click.Choice(["open-set", "pairs"]), default="open-set", show_default=True, help="1:N, or 1:1."
)
@click.option("--images", metavar="URI", help="Labelled photos: PERSON/photo.jpg, or a table with person_id, uri.")
@click.option("--pairs", metavar="FILE", help="Labelled pairs, as `evaluate` takes them.")
@click.option(
    "--target",
    type=Number(0, 1, min_open=True, max_open=True),
    default=0.01,
    show_default=True,
    help="FPIR (for pairs: FMR) to hold.",
)
@click.option(
    "--review-target",
    type=Number(0, 1, min_open=True, max_open=True),
    help="The rate at which a person should look.  [default: ten times the target]",
)
@click.option(
    "--gallery-name", metavar="G", help="Calibrate for the size of this gallery; not needed when there is only one."
)
@click.option("--gallery-size", type=click.IntRange(min=1), help="Calibrate for so many persons instead.")
@click.option("--enrolled", type=click.IntRange(min=1), default=1, show_default=True, help="Photos a person to enrol.")
@click.option(
    "--cohort",
    "cohort_size",
    type=click.IntRange(0, LARGEST),
    metavar="PERSONS",
    help="Set so many persons aside, and normalise scores by their faces; 0 is not to."
    "  [default: a third of the persons, if that is 200 or more]",
)
@click.option(
    "--half",
    type=click.Choice(["both", "first", "second"]),
    default="both",
    show_default=True,
    help="Only one half of the persons.",
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
def command(context: Context, **arguments: object) -> None:
    """Find the threshold that holds an error rate, and write it to the table thresholds.

    \b
    rollcall calibrate --tables ./tables --images ./labelled --target 0.01 --gallery-size 1000
    rollcall calibrate --tables ./tables --protocol pairs --pairs pairs.csv --target 0.001

    `identify` takes the newest calibration of its contract for a gallery of its size or larger; `verify` that for
    pairs. Sizes beyond the data are extrapolated; what the data cannot carry is refused.
    """
    calibrate(context, **arguments)  # type: ignore[arg-type]


def calibrate(
    context: Context,
    *,
    protocol: str = "open-set",
    images: str | None = None,
    pairs: str | None = None,
    target: float = 0.01,
    review_target: float | None = None,
    gallery_name: str | None = None,
    gallery_size: int | None = None,
    enrolled: int = 1,
    cohort_size: int | None = None,
    half: Half = "both",
    seed: int = 0,
    meant: Meant = "middle",
) -> str:
    """Calibrate, and write it down; returns the threshold_id.

    Raises:
        InputError: malformed data, or data that cannot carry what is asked.
    """
    data = pairs if protocol == "pairs" else images
    if data is None:
        raise InputError("say what to measure on: " + ("--pairs FILE" if protocol == "pairs" else "--images URI"))
    review_target = min(10 * target, max(0.5, target)) if review_target is None else review_target
    if review_target < target:
        raise InputError(
            f"--review-target {review_target:g} is below --target {target:g}: all that match would be looked at"
        )
    if protocol == "pairs":
        pair_list = labelled.read_labelled_pairs(context, data, images)
    else:
        photos = labelled.read_labelled_photos(context, data, half, seed)
        size = gallery_size or Gallery.open(context, gallery_name).persons
    agreed = verified_contract(context.settings.spec())
    arguments = {"protocol": protocol, "data": data, "target": target, "half": half, "seed": seed}
    with ledger.run(context.spark, context.tables, "calibrate", arguments) as run:
        run.digests.update(contract=agreed.contract_id, settings=settings_id(context.settings.spec()))
        if protocol == "pairs":
            row = _on_pairs(context, agreed, pair_list, target, review_target, seed, meant)
        else:
            faces = Faces.of(context, [photo.uri for photo in photos], agreed, meant)
            cohort = Cohort.drawn(agreed.contract_id, photos, faces, cohort_size, seed)
            searched = _searched(photos, faces, cohort, enrolled, seed)
            floor = context.settings.threshold(agreed.embedder).keep_floor
            trials = searched.trials(floor, None if cohort is None else cohort.vectors)
            row = _on_searches(trials, size, target, review_target, seed)
            row["cohort_id"] = None if cohort is None else cohort.cohort_id
            if cohort is not None:
                cohort.write(context, agreed.contract_id, run.run_id)
        row |= {
            "threshold_id": stable_id("threshold", run.run_id),
            "protocol": protocol,
            "contract_id": agreed.contract_id,
            "target": target,
            "review_target": review_target,
            "data": data,
            "half": half,
            "seed": seed,
            "created_at": datetime.now(UTC),
            "run_id": run.run_id,
        }
        note_contract(context, agreed)
        values = tuple(row[name] for name in THRESHOLDS.names)
        context.tables.append("thresholds", context.spark.createDataFrame([values], THRESHOLDS.schema))
    click.echo(_said(row))
    return str(row["threshold_id"])


def _searched(photos: list[LabelledPhoto], faces: Faces, cohort: Cohort | None, enrolled: int, seed: int) -> Searched:
    """The searches of those who are not in the cohort."""
    aside = set() if cohort is None else set(cohort.persons)
    return Searched.of([photo for photo in photos if photo.person not in aside], faces, enrolled, seed)


def _on_searches(trials: Trials, size: int, target: float, review_target: float, seed: int) -> dict[str, object]:
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


def _described(found: Calibration) -> dict[str, object]:
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
) -> dict[str, object]:
    uris = [uri for pair in pairs for uri in (pair.left, pair.right)]
    comparisons = ComparedPairs.of(pairs, Faces.of(context, uris, agreed, meant)).comparisons
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


def _said(row: dict[str, object]) -> str:
    what = "FMR" if row["protocol"] == "pairs" else "FPIR"
    size = "" if row["gallery_size"] is None else f" at {row['gallery_size']:,} persons"
    normalised = ", normalised by a cohort" if row["cohort_id"] else ""
    others = "others would find" if row["method"] == "counted" else "it may be"
    return (
        f"threshold {row['threshold']:.4f} (95%: {row['threshold_low']:.4f} to {row['threshold_high']:.4f}) holds"
        f" {what} {row['target']:g}{size}; {others} {row['rate_low']:.4f} to {row['rate_high']:.4f};"
        f" review from {row['review_threshold']:.4f}; {row['method']} on {row['searches']:,} searches of"
        f" {row['persons']:,} persons{normalised}: {row['threshold_id']}"
    )


if __name__ == "__main__":
    run_command(command)
