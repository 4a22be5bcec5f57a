"""erase: erase a person or images from all tables and from what is kept beside them, and prove it."""

from datetime import date
from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Column, Table

from jobs.erasure.carrying_out import erase as erase_subject
from jobs.erasure.carrying_out import refuse_what_cannot_begin
from jobs.erasure.closure import closure_of
from jobs.erasure.page import page
from jobs.erasure.plan import Plan
from jobs.erasure.proof import Known, Proof, prove, told
from jobs.erasure.rows import models_trained_on
from jobs.erasure.subject import Subject
from jobs.run import ledger
from jobs.run.context import Context
from jobs.run.erased import keyed
from jobs.run.errors import run_command
from jobs.run.options import RUN_DATE, job
from jobs.run.outputs import written
from udfs.errors import InputError


def _something_is_left(proofs: list[Proof]) -> bool:
    return any(proof.places for proof in proofs)


@job("erase", fails=_something_is_left)
@click.option("--person", metavar="ID", help="This person: samples, and all rows that name them.")
@click.option("--gallery-name", metavar="G", help="Of --person: in this gallery alone.  [default: in all of them]")
@click.option(
    "--with-images",
    is_flag=True,
    help="Of --person: the images as well in which they were found, as a match or confirmed, with all their faces.",
)
@click.option(
    "--image", metavar="URI", help="This image, in all its versions, and the samples that were taken from it."
)
@click.option("--source", metavar="NAME", help="All images of this source, a camera or feed.")
@click.option("--before", type=RUN_DATE, help="All images of dates before this one.")
@click.option("--yes", is_flag=True, help="Do it. Without, it says what would be done, and changes nothing.")
@click.option(
    "--killed",
    multiple=True,
    metavar="RUN",
    help="A run that has not ended and never will, as it was killed; may be repeated.",
)
@click.option("--verify", is_flag=True, help="Erase nothing: prove all erasures so far, or the one that is named.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The proof as a page, self-contained HTML, which names nobody.",
)
def erase(
    context: Context,
    *,
    person: str | None,
    gallery_name: str | None,
    with_images: bool,
    image: str | None,
    source: str | None,
    before: date | None,
    yes: bool,
    killed: tuple[str, ...],
    verify: bool,
    output: Path | None,
) -> list[Proof]:
    """Erase a person, or images, from all tables and from what is kept beside them, and prove that nothing is left.

    \b
    rollcall erase --tables ./tables --person obama
    rollcall erase --tables ./tables --person obama --yes --output ./proof.html
    rollcall erase --tables ./tables --image ./lake/2026-01-31/speech.jpg --yes
    rollcall erase --tables ./tables --verify

    Without --yes it says what would go. A face of the lake that was taken for the person stays a face, of nobody, and
    the next `identify` looks at it anew, as if the person had never been there; with --with-images its image goes as
    well. All tables forget their earlier versions: there is no time travel back. Refused while a run is under way; runs
    that begin meanwhile wait. If it is killed, the same command carries it on. Exits with 1 if anything was found. What
    was erased is not ingested or enrolled again, unless that is allowed. docs/privacy.md says what is covered.
    """
    named = person is not None or image is not None or source is not None or before is not None
    if verify and yes:
        raise InputError("--verify erases nothing; leave out --yes")
    if output is not None and not (yes or verify):
        raise InputError("--output is for the proof of an erasure; add --yes, or --verify")
    if killed and not yes:
        raise InputError("--killed is for an erasure; add --yes")
    subject = None
    if named or not verify:
        subject = Subject.asked(
            person=person, image=image, source=source, before=before, gallery_name=gallery_name, with_images=with_images
        )
    # The ledger does not say of whom, nor where to: the page may be called after them.
    unnamed = dict.fromkeys(("person", "gallery_name", "image", "source", "before", "output"))
    if verify:
        context.tables.read("erasures")
        with ledger.run(context, **unnamed) as run:
            proofs = prove(context, run.run_id, None if subject is None else _finished(context, subject))
    else:
        assert subject is not None
        if not yes:
            plan = Plan.of(context, closure_of(context, subject))
            _print(plan)
            _tell_of_models(context, models_trained_on(context, plan.of_table("model_photos").gone))
            context.log.info("erase: nothing was changed; --yes does it")
            return []
        refuse_what_cannot_begin(context, subject, killed)
        with ledger.run(context, **unnamed) as run:
            done = erase_subject(context, subject, run, killed)
            known = Known(done.noted.erasure_id, done.needles)
            proofs = prove(context, run.run_id, [done.noted.erasure_id], known)
        _print(done.plan)
        _tell_of_models(context, models_trained_on(context, done.plan.of_table("model_photos").gone))
        for kind, count in done.needles.shared.items():
            context.log.info(
                f"erase: {count:,} of kind {kind!r} stay, as they are of something else as well: of an image of the"
                " lake, of a copy, or of another gallery"
            )
    for proof in proofs:
        told(context, proof)
    if output is not None:
        written(context, page(context, proofs), output)
    return proofs


def _finished(context: Context, subject: Subject) -> list[str]:
    who = subject.who(keyed(context.tables))
    rows = context.tables.read("erasures").where("event = 'finished'").select("erasure_id", "who").collect()
    found = [row.erasure_id for row in rows if row.who == who]
    if not found:
        raise InputError("this was not erased here, or not with these options; leave them out to prove all erasures")
    return found


def _tell_of_models(context: Context, names: list[str]) -> None:
    if names:
        context.log.warning(
            f"erase: trained on photos of this: {', '.join(names)}. What a model has learnt is in its weights: train it"
            " again without these photos, move to it with `rollcall activate`, and remove its file"
        )


def _print(plan: Plan) -> None:
    table = Table(Column("what"), Column("rows", justify="right"), box=box.SIMPLE_HEAD)
    for name, count in plan.counts.items():
        table.add_row(name, f"{count:,}")
    Console(width=None if Console().is_terminal else 120).print(table)


command = erase.command

if __name__ == "__main__":
    run_command(command)
