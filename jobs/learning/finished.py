"""How every training ends: its model is registered, declared in the settings, shown on a page and told of."""

from jobs.faces.lookup import MeantFaces
from jobs.learning.calibrated import calibrate_on_held_out
from jobs.learning.measured import Measured, MeasuredOnPersons
from jobs.learning.page import page_of
from jobs.learning.registered import register
from jobs.learning.trained import Place
from jobs.run import ledger, outputs, settings_file
from jobs.run.context import Context
from pages.report import Report, html
from udfs.vision.contract import Contract


def finish(context: Context, place: Place, measured: Measured, page: Report, run: ledger.Run) -> Contract:
    """Write down a training; returns the contract of its model."""
    child = register(context, measured, run)
    _publish(context, place, measured, page, run)
    return child


def finish_on_persons(
    context: Context, place: Place, measured: MeasuredOnPersons, faces: MeantFaces, run: ledger.Run
) -> None:
    """The same of an embedder, which gets a threshold as well. faces: of the held-out photos, as the model has them."""
    child = register(context, measured, run)
    calibrate_on_held_out(context, child, measured, faces, run)
    _publish(context, place, measured, page_of(measured), run)


def _publish(context: Context, place: Place, measured: Measured, page: Report, run: ledger.Run) -> None:
    """Declare the model, last of all: a run that was killed before can be repeated."""
    if measured.persons is not None:
        run.count("persons", measured.persons)
    run.count("photos", len(measured.learnt))
    outputs.written(context, html(page), place.folder / f"{place.name}.html")
    settings_file.append(place.declared_in, measured.trained.section)
    _tell(context, place, measured)


def _tell(context: Context, place: Place, measured: Measured) -> None:
    """Say what was found, and what follows."""
    found = measured.found
    verdict = "better" if found.better else "worse, and not to be used" if found.worse else "not better beyond doubt"
    context.log.info(f"{context.job}: {measured.said}: {verdict}")
    if not found.better:
        context.log.warning(
            f"{context.job}: `rollcall activate` will refuse {place.name}, unless it is told --although REASON;"
            f" {measured.helps}"
        )
    context.log.info(
        f"{context.job}: declared in {place.declared_in}; use it with --config {place.declared_in} --set"
        f" {measured.trained.setting}={place.name}"
    )
