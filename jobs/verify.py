"""verify: do two images show one person?"""

from typing import Any

import click

from jobs.decisions.thresholds import PairThresholds
from jobs.decisions.verification import TableRow, verify_pairs
from jobs.faces.lookup import MEANT
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job
from jobs.run.printed import echo


@job("verify")
@click.argument("images", nargs=-1, metavar="[LEFT RIGHT]")
@click.option("--pairs", metavar="FILE", help="A CSV, Parquet or Delta table with columns left and right, instead.")
@click.option(
    "--face",
    "meant",
    type=click.Choice(MEANT),
    default="only",
    show_default=True,
    help="Which face counts where an image shows several: the largest, the one nearest the middle, or none (only).",
)
def verify(context: Context, **arguments: Any) -> dict[str, int]:
    """Compare the faces of two images, or of many pairs: match, review, or non_match.

    \b
    rollcall verify --tables ./tables passport.jpg gate.jpg
    rollcall verify --tables ./tables --pairs s3://lake/pairs.csv

    Every pair gets a row in the table verifications: its similarity and the decision, or why the two could not be
    compared. Images that have been embedded under the same models and limits are not opened again.
    """
    verified = verify_pairs(context, **arguments)
    if arguments["images"]:
        echo(_said(verified.rows[0], verified.thresholds))
    else:
        counted = ", ".join(f"{count:,} {name}" for name, count in sorted(verified.counts.items()))
        context.log.info(f"verify: {counted}")
    return verified.counts


def _said(row: TableRow, thresholds: PairThresholds) -> str:
    if row["decision"] is None:
        return f"not compared: {row['outcome']}" + (f": {row['detail']}" if row["detail"] else "")
    return (
        f"{row['decision']}: similarity {row['similarity']:.4f}, match from {thresholds.match:.4f}, probability"
        f" {row['probability']:.4f} at even odds ({thresholds.threshold_id})"
    )


command = verify.command

if __name__ == "__main__":
    run_command(command)
