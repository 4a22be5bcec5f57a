"""calibrate: the threshold that holds a stated error rate at the gallery's real size."""

from typing import Any

import click

from jobs.decisions.calibration import Values, calibrate_threshold
from jobs.decisions.cohort import LARGEST
from jobs.faces.lookup import MEANT
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from jobs.run.printed import echo
from udfs.errors import InputError


@job("calibrate")
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
    help="The false-positive rate to hold: FPIR, or FMR for pairs.",
)
@click.option(
    "--review-target",
    type=Number(0, 1, min_open=True, max_open=True),
    help="The rate at which faces are set aside for review.  [default: ten times the target]",
)
@click.option(
    "--gallery-name", metavar="G", help="Calibrate for the size of this gallery; not needed when there is only one."
)
@click.option(
    "--gallery-size", type=click.IntRange(min=1), help="Calibrate for a gallery of this many persons instead."
)
@click.option(
    "--enrolled", type=click.IntRange(min=1), default=1, show_default=True, help="Photos to enrol of each person."
)
@click.option(
    "--cohort",
    "cohort_size",
    type=click.IntRange(0, LARGEST),
    metavar="PERSONS",
    help="Set this many persons aside, and normalise scores by their faces; 0 does neither."
    "  [default: a third of the persons, if that is 200 or more, and if fewer searches miss with it]",
)
@click.option(
    "--half",
    type=click.Choice(["both", "first", "second"]),
    default="both",
    show_default=True,
    help="Use only one half of the persons.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="A number that decides which persons are in which half, and which photos are enrolled.",
)
@click.option(
    "--face",
    "meant",
    type=click.Choice(MEANT),
    default="middle",
    show_default=True,
    help="Which face counts where an image shows several: the largest, the one nearest the middle, or none (only).",
)
def calibrate(context: Context, *, gallery_name: str | None, gallery_size: int | None, **arguments: Any) -> str:
    """Find the threshold that holds an error rate, and write it to the table thresholds.

    \b
    rollcall calibrate --tables ./tables --images ./labelled --target 0.01 --gallery-size 1000
    rollcall calibrate --tables ./tables --protocol pairs --pairs pairs.csv --target 0.001

    `identify` takes the newest calibration of its contract for a gallery of its size or larger; `verify` that for
    pairs. Sizes beyond the data are extrapolated; what the data cannot carry is refused.
    """
    if gallery_size is None and arguments["protocol"] == "open-set" and arguments["images"] is not None:
        gallery_size = _persons_in(GallerySnapshot.open(context, gallery_name))
    if gallery_name is not None and arguments["protocol"] == "pairs":
        raise InputError("--gallery-name belongs to --protocol open-set")
    found = calibrate_threshold(context, gallery_size=gallery_size, **arguments)
    echo(_said(found))
    return str(found["threshold_id"])


def _persons_in(gallery: GallerySnapshot) -> int:
    if not gallery.persons:
        raise InputError(
            f"nobody is in force in gallery {gallery.name!r}, so it has no size to calibrate for; say how many persons"
            " it is to hold: --gallery-size N"
        )
    return gallery.persons


def _said(row: Values) -> str:
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


command = calibrate.command

if __name__ == "__main__":
    run_command(command)
