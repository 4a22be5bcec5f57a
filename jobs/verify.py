"""verify: do two images show one person?"""

from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from jobs import ledger, rows
from jobs.options import Context, job_command, run_command
from jobs.seen import MEANT, Faces, Meant
from jobs.thresholds import Verification, for_verification
from jobs.vision import note_contract, verified_contract
from schemas.catalog import VERIFICATIONS
from udfs import lake
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.search.pairs import similarities
from udfs.vision.contract import settings_id

Row = dict[str, Any]


@job_command("verify")
@click.argument("images", nargs=-1, metavar="[LEFT RIGHT]")
@click.option("--pairs", metavar="FILE", help="A CSV, Parquet or Delta table with columns left and right, instead.")
@click.option(
    "--face",
    "meant",
    type=click.Choice(MEANT),
    default="only",
    show_default=True,
    help="Of several faces in an image: the largest, the one nearest the middle, or none of them.",
)
def command(context: Context, images: tuple[str, ...], **arguments: object) -> None:
    """Compare the faces of two images, or of many pairs: match, review, or non_match.

    \b
    rollcall verify --tables ./tables passport.jpg gate.jpg
    rollcall verify --tables ./tables --pairs s3://lake/pairs.csv

    Every pair gets a row in the table verifications: its similarity and the decision, or why the two could not be
    compared. Images that have been embedded under the same models and limits are not opened again.
    """
    verify(context, images=images, **arguments)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Pair:
    """Two images by URI."""

    left: str
    right: str


def verify(
    context: Context, *, images: tuple[str, ...] = (), pairs: str | None = None, meant: Meant = "only"
) -> dict[str, int]:
    """Compare pairs of images; returns what was counted.

    Raises:
        InputError: no pair or one image too few, a malformed pairs file, no thresholds for the embedder.
    """
    wanted = _wanted(context, images, pairs)
    agreed = verified_contract(context.settings.spec())
    standard = for_verification(context, agreed)
    arguments = {"pairs": pairs or " ".join(images), "face": meant}
    with ledger.run(context.spark, context.tables, "verify", arguments) as run:
        settings = settings_id(context.settings.spec())
        run.digests.update(contract=agreed.contract_id, settings=settings)
        faces = Faces.of(context, [uri for pair in wanted for uri in (pair.left, pair.right)], agreed, meant)
        compared = _compared(wanted, faces, standard)
        of_all = {
            "contract_id": agreed.contract_id,
            "settings_id": settings,
            "face": meant,
            "threshold": standard.match,
            "review_threshold": standard.review,
            "threshold_id": standard.threshold_id,
            "run_id": run.run_id,
        }
        made = [{**row, **of_all, "pair_id": _pair_id(row, agreed.contract_id, settings, meant)} for row in compared]
        note_contract(context, agreed)
        unique = {row["pair_id"]: row for row in made}
        written = [tuple(row[name] for name in VERIFICATIONS.names) for row in unique.values()]
        context.tables.update("verifications", context.spark.createDataFrame(written, VERIFICATIONS.schema))
        for row in made:
            run.count(row["decision"] or "not_compared", 1)
    if images:
        click.echo(_said(made[0], standard))
    else:
        context.say("verify: " + ", ".join(f"{count:,} {name}" for name, count in sorted(run.counts.items())))
    return run.counts


def _wanted(context: Context, images: tuple[str, ...], pairs: str | None) -> list[Pair]:
    if (len(images) == 2) == (pairs is not None) or len(images) not in (0, 2):
        raise InputError("say which images: two of them, LEFT RIGHT, or --pairs FILE")
    if pairs is None:
        return [Pair(*(lake.uri_of(image) for image in images))]
    uri = lake.uri_of(pairs)
    read = rows.read(context, uri, required=("left", "right"), others=True)
    if not read:
        raise InputError(f"{uri}: lists no pairs")
    for row in read:
        if not row.text("left") or not row.text("right"):
            raise InputError(f"{row.where}: left and right must not be empty")
    return [Pair(*(rows.absolute(uri, row.text(side)) for side in ("left", "right"))) for row in read]


def _compared(wanted: list[Pair], faces: Faces, standard: Verification) -> list[Row]:
    left, right = (faces.places([getattr(pair, side) for pair in wanted]) for side in ("left", "right"))
    both = faces.there[left] & faces.there[right]
    near = np.zeros(len(wanted))
    near[both] = similarities(faces.vectors, left[both], right[both])
    decisions, probabilities = standard.decisions(near), standard.probability.at(near).tolist()
    outcome, detail, ids = (faces.table[name].to_pylist() for name in ("outcome", "detail", "image_id"))
    compared: list[Row] = []
    for at, pair in enumerate(wanted):
        sides = (("left", left[at]), ("right", right[at]))
        troubled = [(side, place) for side, place in sides if outcome[place] != "faces"]
        row: Row = {
            "left_uri": pair.left,
            "right_uri": pair.right,
            "left_image_id": ids[left[at]],
            "right_image_id": ids[right[at]],
            "outcome": " ".join(f"{side}:{outcome[place]}" for side, place in troubled) or "compared",
            "detail": "; ".join(detail[place] for _, place in troubled if detail[place]),
            "similarity": float(near[at]),
            "decision": decisions[at],
            "probability": probabilities[at],
            "probability_source": standard.probability_source,
        }
        unknown = ("similarity", "decision", "probability", "probability_source")
        compared.append(row | dict.fromkeys(unknown) if troubled else row)
    return compared


def _pair_id(row: Row, contract_id: str, settings: str, meant: str) -> str:
    return stable_id("pair", str(row["left_image_id"]), str(row["right_image_id"]), contract_id, settings, meant)


def _said(row: Row, standard: Verification) -> str:
    if row["decision"] is None:
        return f"not compared: {row['outcome']}" + (f": {row['detail']}" if row["detail"] else "")
    return (
        f"{row['decision']}: similarity {row['similarity']:.4f}, match from {standard.match:.4f}, probability"
        f" {row['probability']:.4f} at even odds ({standard.threshold_id})"
    )


if __name__ == "__main__":
    run_command(command)
