"""gallery: look for samples that may show somebody else, and set samples aside."""

import click

from jobs.matching.hygiene import as_table, doubts
from jobs.registry.set_aside import decide
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from jobs.run.errors import run_command
from jobs.run.options import job
from pages import answers
from udfs.errors import InputError


@job("gallery", short=True)
@click.option("--check", is_flag=True, help="List samples and persons that somebody should look at.")
@click.option("--gallery-name", metavar="G", help="The gallery to check; not needed when there is only one.")
@click.option("--set-aside", "aside", multiple=True, metavar="SAMPLE", help="Let no search find anybody by it.")
@click.option("--restore", "restored", multiple=True, metavar="SAMPLE", help="Let searches use it again.")
@click.option("--reason", default="", metavar="TEXT", help="Why, in the words of who decides.")
@click.option("--by", "decided_by", default="", metavar="NAME", help="Who decides.")
@click.option("--format", "form", type=click.Choice(answers.FORMS), default="table", show_default=True)
def gallery(
    context: Context,
    *,
    check: bool,
    gallery_name: str | None,
    aside: tuple[str, ...],
    restored: tuple[str, ...],
    reason: str,
    decided_by: str,
    form: str,
) -> dict[str, int]:
    """Look for samples that may show somebody else and for persons who may be one, and set samples aside.

    \b
    rollcall gallery --tables ./tables --check
    rollcall gallery --tables ./tables --set-aside 5f2c... --reason 'shows her sister' --by ann
    rollcall gallery --tables ./tables --restore 5f2c... --by ann

    A sample is listed if it is not like the other samples of its person (of five or more), or more like a sample of
    somebody else. What is set aside stays registered; the next `identify` brings its rows up to date. Decisions are
    added to the table set_asides and never changed.
    """
    if check == bool(aside or restored):
        raise InputError("say what to do: --check, or --set-aside SAMPLE and --restore SAMPLE")
    if check:
        opened = GallerySnapshot.open(context, gallery_name)
        found = doubts(context, opened)
        context.log.info(f"gallery: {opened.count:,} samples of {opened.persons:,} persons; {len(found):,} to look at")
        answers.write(form, *as_table(found))
        return {"doubts": len(found)}
    if not decided_by:
        raise InputError("say who decides: --by NAME")
    if aside and not reason:
        raise InputError("say why the sample is set aside: --reason TEXT")
    counts = decide(context, aside, restored, reason=reason, decided_by=decided_by)
    context.log.info(f"gallery: {counts['set_aside']:,} set aside, {counts['restored']:,} restored")
    return counts


command = gallery.command

if __name__ == "__main__":
    run_command(command)
