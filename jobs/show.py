"""show: what the tables say of a person, an image or a face."""

import json

import click

from jobs.queries import shown
from jobs.queries.shown import Described
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job
from jobs.run.printed import echo
from pages import answers, blocks
from schemas.catalog import TABLES
from schemas.views import VIEWS
from udfs.errors import InputError
from udfs.visible import visible_json

_KINDS = {"person": shown.of_person, "image": shown.of_image, "face": shown.of_face}


@job("show", short=True)
@click.argument("what", metavar="person|image|face|TABLE")
@click.argument("name", required=False, metavar="[ID]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
@click.option(
    "--limit",
    type=click.IntRange(min=1, max=shown.MOST_ROWS),
    default=20,
    show_default=True,
    help="Of a table or view: how many rows to show.",
)
def show(context: Context, what: str, name: str | None, as_json: bool, limit: int) -> None:
    """Print what the tables say of a person, an image or a face, or the first rows of a table or view.

    \b
    rollcall show --tables ./tables person obama
    rollcall show --tables ./tables image ./lake/2026-01-31/speech.jpg
    rollcall show --tables ./tables face 5f2c...
    rollcall show --tables ./tables sightings

    A face is shown as a small picture where the terminal has 24-bit colours.
    """
    if what in _KINDS:
        if name is None:
            raise InputError(f"say which {what}: rollcall show {what} ID")
        described = _KINDS[what](context, name)
    elif what in TABLES or what in VIEWS:
        if name is not None:
            raise InputError(
                f"{what} is a table or view, and shown without an id; leave out {name!r}, or ask for it with `rollcall"
                " sql`"
            )
        described = shown.of_table(context, what, limit)
    else:
        raise InputError(
            f"{what!r} is no table or view, nor one of person, image and face; \\d in `rollcall sql` lists the tables"
        )
    _print(described, as_json)


def _print(described: Described, as_json: bool) -> None:
    if as_json:
        document = {
            section.title: [dict(zip(section.columns, row, strict=True)) for row in section.rows]
            for section in described.sections
        }
        click.echo(visible_json(json.dumps(document, ensure_ascii=False, indent=2)))
        return
    if described.picture is not None and blocks.can_show():
        click.echo(blocks.blocks(described.picture))
    for section in described.sections:
        echo(f"\n{section.title}")
        if not section.rows:
            click.echo("  none")
        else:
            answers.write("lines" if len(section.rows) == 1 else "table", section.columns, section.rows)


command = show.command

if __name__ == "__main__":
    run_command(command)
