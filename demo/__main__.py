"""Run the demo: python -m demo [FOLDER]."""

import sys
from datetime import date
from pathlib import Path

import click
from pyspark.sql import functions as F
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.photos import RUN_DATE, prepare
from jobs.embed import embed
from jobs.enroll import enroll
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.report import report
from jobs.run.context import Context, opened
from jobs.run.errors import run_command
from jobs.run.log import LOGGER
from schemas.names import Names
from udfs import downloads
from udfs.errors import InputError
from udfs.vision import weights
from udfs.vision.models import networks_of
from udfs.vision.spec import VisionSpec

_RESULT = """
SELECT regexp_extract(i.uri, '[^/]+$', 0) AS image, o.outcome, f.ordinal, f.quality.size AS pixels,
       d.decision, d.person_id, d.similarity, d.runner_up_person_id, d.similarity - d.margin AS runner_up, c.embedder
FROM images i
JOIN image_outcomes o USING (image_id)
JOIN contracts c USING (contract_id)
LEFT JOIN faces f USING (image_id, contract_id, settings_id)
LEFT JOIN identifications d ON d.face_id = f.face_id
ORDER BY image, f.ordinal
"""


def settings(explicit: str | None) -> tuple[str, ...]:
    """The default embedder where its weights can be had; else, said in one line, one that needs fewer.

    Every person is kept, however far, so that the runner-up can be shown.
    """
    downloads.fetch("centerface")
    given = () if explicit is None else (("facenet-vggface2", explicit),)
    name = _first_to_be_had(VisionSpec(weights=given))
    files = (f"weights.{network}={path}" for network, path in given)
    return (f"vision.embedder={name}", f"thresholds.{name}.keep_floor=-1", *files)


def _first_to_be_had(spec: VisionSpec) -> str:
    """An embedder whose weights the specification names, or can be fetched."""
    for name in ("fused", "mobilefacenet", "facenet-vggface2"):
        try:
            for network in networks_of(name):
                if weights.named_in(spec, network) is None:
                    downloads.fetch(network)
            return name
        except InputError as missing:
            LOGGER.info(f"demo: going on without {name}: {missing}")
    downloads.fetch("dlib-resnet-v1")
    return "dlib-resnet-v1"


def show(made: Context) -> None:
    """Print what became of every image."""
    Names(made.spark, made.tables).register(_RESULT)
    table = Table("image", "face", "pixels", "decision", "person", "similarity", "runner-up", box=box.SIMPLE_HEAD)
    for row in made.spark.sql(_RESULT).where(F.col("embedder") == made.settings.vision.embedder).collect():
        face = "" if row.ordinal is None else str(row.ordinal + 1)
        pixels = "" if row.pixels is None else f"{row.pixels:.0f}"
        near = "" if row.similarity is None else f"{row.similarity:.3f}"
        second = "" if row.runner_up is None else f"{row.runner_up_person_id} {row.runner_up:.3f}"
        cells = (row.image, face, pixels, row.decision or row.outcome, row.person_id or "", near, second)
        table.add_row(*[Text(cell) for cell in cells])  # in a plain string rich takes [brackets] for markup
    Console(width=120).print(table)


def chain(made: Context, lake: Path, people: Path, page: Path) -> None:
    """All jobs of a night, and what came of it."""
    ingest(made, source=f"{lake.resolve()}/{{run_date}}/")
    embed(made, run_date=date.fromisoformat(RUN_DATE))
    # Embeddings of two embedders cannot be compared: each has a gallery of its own.
    gallery = f"people-{made.settings.vision.embedder}"
    enroll(made, gallery=str(people), gallery_name=gallery)
    identify(made, run_date=date.fromisoformat(RUN_DATE), gallery_name=gallery)
    show(made)
    report(made, run_date=date.fromisoformat(RUN_DATE), gallery_name=gallery, output=page)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".demo")
@click.option("--weights", "explicit", metavar="PATH", help="FaceNet's weights, where they are not in the cache.")
def main(folder: Path, explicit: str | None) -> None:
    """The chain on a dozen photos: ingest, embed, enroll, identify, and the page of what was found."""
    LOGGER.info("demo: photos and weights (fetched the first time)")
    lake, people = prepare(folder)
    changes = settings(explicit)
    tables = folder / "tables"
    LOGGER.info("demo: starting Spark (its jars are fetched the first time)")
    with opened("demo", tables=str(tables), changes=changes) as made:
        page = folder / f"{RUN_DATE}.html"
        chain(made, lake, people, page)
        click.echo(f"Look at the faces: {page.resolve().as_uri()}")
        click.echo(f"Tables: {made.tables.place}")
        click.echo(f'Ask them: rollcall sql --tables {tables} "SELECT * FROM identifications"')


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
