"""evaluate: how often it is wrong, on images of which it is known who they show."""

from pathlib import Path
from typing import Any

import click

from evaluation.figures import Figure
from jobs.faces.lookup import MEANT
from jobs.reports.attacks import PROTOCOL, lines, report_attacks
from jobs.reports.evaluation import refuse_what_is_above, report_evaluation
from jobs.reports.evaluation_page import line
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import Number, job
from jobs.run.printed import echo
from udfs.errors import InputError


@job("evaluate")
@click.option(
    "--protocol",
    type=click.Choice(["pairs", "open-set", PROTOCOL]),
    required=True,
    help="1:1, or 1:N; or how often a score takes presentation attacks for live persons.",
)
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
@click.option(
    "--attacks",
    metavar="FILE",
    help="For attack: a CSV, Parquet or Delta table with presentation (bona_fide or attack), species (of an attack) and"
    " score (higher: more likely live).",
)
@click.option(
    "--threshold",
    type=Number(),
    help="Decide by this similarity.  [default: the calibrated threshold, else that of the settings]",
)
@click.option(
    "--threshold-from", metavar="FILE", help="Decide by the threshold that is most accurate on these other pairs."
)
@click.option("--gallery-size", "sizes", type=click.IntRange(min=1), multiple=True, help="Persons in the gallery.")
@click.option(
    "--enrolled", type=click.IntRange(min=1), default=1, show_default=True, help="Photos to enrol of each person."
)
@click.option(
    "--half",
    type=click.Choice(["both", "first", "second"]),
    default="both",
    show_default=True,
    help="Use only one half of the persons: calibrate on the first, evaluate on the second.",
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
@click.option(
    "--group-by",
    metavar="COLUMN",
    help="Report figures for each value of this column as well, or for parts by size, sharpness or brightness.",
)
@click.option(
    "--check",
    is_flag=True,
    help="Fail if a false-positive rate at the threshold in force is above the interval that its calibration states.",
)
@click.option(
    "--output",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="For report.html and figures.json.",
)
def evaluate(
    context: Context, *, protocol: str, check: bool, attacks: str | None, **arguments: Any
) -> dict[str, list[Figure]]:
    """Measure error rates on labelled images.

    \b
    rollcall evaluate --tables ./tables --protocol pairs --pairs pairs.txt --images ./lfw --output ./report
    rollcall evaluate --tables ./tables --protocol open-set --images ./lfw --gallery-size 300 --output ./report
    rollcall evaluate --tables ./tables --protocol attack --attacks scores.csv --threshold 0.5 --output ./report

    Figures are appended to the table evaluations, with 95% intervals over persons. Images without a face count: as
    misses if somebody should have been found. The protocol attack states the rates of ISO/IEC 30107-3 of a score that
    comes from elsewhere: APCER by species, and BPCER.
    """
    if protocol == PROTOCOL:
        return _attacks(context, check, attacks, arguments)
    if attacks is not None:
        raise InputError(f"--attacks is for --protocol {PROTOCOL}")
    measured = report_evaluation(context, protocol=protocol, **arguments)
    for figure in measured.figures[""]:
        echo(line(figure))
    if check:
        refuse_what_is_above(context, measured)
    return measured.figures


def _attacks(context: Context, check: bool, attacks: str | None, arguments: dict[str, Any]) -> dict[str, list[Figure]]:
    of_other_protocols = any(
        arguments[name] != usual
        for name, usual in evaluate.defaults.items()
        if name in arguments and name not in ("threshold", "output")
    )
    if check or of_other_protocols:
        raise InputError(f"--protocol {PROTOCOL} takes --attacks, --threshold and --output alone")
    found = report_attacks(context, attacks=attacks, threshold=arguments["threshold"], output=arguments["output"])
    for said in lines(found):
        echo(said)
    return found


command = evaluate.command

if __name__ == "__main__":
    run_command(command)
