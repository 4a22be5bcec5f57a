"""search: where else was this face seen, in all images there are?"""

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from jobs.investigations.findings import Finding
from jobs.investigations.search import Answer, search_lake
from jobs.investigations.written import refuse_output, write_rows
from jobs.reports import contact_sheet
from jobs.reports.sheets import Shown
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.ledger import utc
from jobs.run.options import RUN_DATE, about_investigation, job
from jobs.run.outputs import written
from pages import answers
from udfs import lake

_SHOWN = (
    *("rank", "similarity", "strangers", "person_id", "decision", "captured_at", "source"),
    *("image", "others", "face_id"),
)
"""In a table: all that an investigator needs to go on."""


@job("search", short=True)
@click.option("--photo", metavar="FILE", help="A photo, or a folder of photos.")
@click.option("--face", "face_id", metavar="ID", help="A face of the tables, instead.")
@click.option("--person", metavar="ID", help="A registered person, with all their samples, instead.")
@click.option("--gallery-name", metavar="G", help="Of --person: the gallery; not needed when there is only one.")
@click.option("--number", type=click.IntRange(min=0), help="Of a photo with several faces: which one; 0 for all.")
@click.option(
    "-k", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Faces found for each question."
)
@click.option("--from", "first", type=RUN_DATE, metavar="DATE", help="Only images of this run date or later ones.")
@click.option("--to", "last", type=RUN_DATE, metavar="DATE", help="Only images of this run date or earlier ones.")
@click.option("--source", metavar="NAME", help="Only images of this camera or feed.")
@click.option("--case-id", metavar="ID", help="Only images of this case.")
@about_investigation
@click.option(
    "--numbered",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the photo with its faces numbered, as a JPEG.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what was found into a .csv, .json, .parquet or .html file, instead of printing it.",
)
@click.option("--format", "form", type=click.Choice(answers.FORMS), default="table", show_default=True)
def search(
    context: Context,
    *,
    form: str,
    output: Path | None,
    first: date | None,
    last: date | None,
    **arguments: Any,
) -> Answer:
    """Find the faces, among all that were ever seen, that are most like one.

    \b
    rollcall search --tables ./tables --photo suspect.jpg
    rollcall search --tables ./tables --photo group.jpg --number 2 --from 2026-01-01 --source gate
    rollcall search --tables ./tables --person obama --investigation 'gate 3' --purpose 'case 4711'

    The search is exact: no face of the lake is more similar than those that are shown. Where a calibration has measured
    it, each says how many faces of strangers are to be expected at its similarity or above, in a lake of this size: a
    similar face is no proof. What is packed for the first search is kept beside the table faces, and `rollcall sweep
    --older-than 0` removes it.
    """
    if output is not None:
        refuse_output(output, arguments["investigation"])
    answer = search_lake(context, first=first, last=last, **arguments)
    rows = [_as_row(finding) for finding in answer.findings]
    _tell(context, answer)
    if output is None:
        _show(answer, rows, form)
    elif output.suffix == ".html":
        written(context, contact_sheet.of_investigation(context, arguments["investigation"], Shown()), output)
    else:
        write_rows(context, rows, output)
        context.log.info(f"search: {output.resolve().as_uri()}")
    return answer


def _tell(context: Context, answer: Answer) -> None:
    if not answer.calibrated:
        context.log.warning(
            "search: how many strangers are as similar is not known without a calibration; run `rollcall calibrate`"
        )
    questions = len({face.name for face in answer.asked.faces})
    context.log.info(
        f"search: {len(answer.findings):,} faces found for {questions:,} question{'' if questions == 1 else 's'}, among"
        f" {answer.searched:,}"
    )


def _show(answer: Answer, rows: list[dict[str, Any]], form: str) -> None:
    if form == "table":
        several = len({face.name for face in answer.asked.faces}) > 1
        columns = [*(["asked"] if several else []), *_SHOWN]
        rows = [_for_people(row) for row in rows]
    else:
        columns = list(rows[0]) if rows else []
    answers.write(form, columns, [tuple(row[name] for name in columns) for row in rows])


def _as_row(finding: Finding) -> dict[str, Any]:
    captured_at = None if finding.captured_at is None else f"{utc(finding.captured_at):%Y-%m-%d %H:%M:%S}Z"
    row = {**asdict(finding), "run_date": str(finding.run_date), "captured_at": captured_at}
    del row["by"]
    return row


def _for_people(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "similarity": f"{row['similarity']:.4f}",
        "strangers": _about(row["strangers"]),
        "image": lake.file_name(row["uri"]),
        "others": ", ".join(row["others"]),
    }


def _about(strangers: float | None) -> str:
    """A number that is known roughly."""
    return "not known" if strangers is None else f"{strangers:.2g}"


command = search.command

if __name__ == "__main__":
    run_command(command)
