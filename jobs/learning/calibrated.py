"""A new model gets a threshold at once, from the persons it was not trained on."""

from dataclasses import replace

from jobs.decisions.calibration import CalibrationData, calibrate_on_photos
from jobs.faces.lookup import MeantFaces
from jobs.learning.measured import MeasuredOnPersons
from jobs.learning.trained import with_model
from jobs.run import ledger
from jobs.run.context import Context
from udfs.errors import InputError
from udfs.vision.contract import Contract


def calibrate_on_held_out(
    context: Context, child: Contract, measured: MeasuredOnPersons, faces: MeantFaces, run: ledger.Run
) -> None:
    """Write a threshold of the new contract. What the number of persons cannot carry is said: the model is there all
    the same."""
    of_child = replace(context, settings=with_model(context, measured.trained))
    on = CalibrationData(measured.data, "second", measured.seed)
    found, photos = measured.found, measured.divided.held_out
    review = min(10 * found.fpir, 0.5)
    try:
        row = calibrate_on_photos(
            of_child, child, photos.photos, faces, found.fpir, review, found.gallery_size, 1, 0, on, run
        )
    except InputError as error:
        context.log.warning(f"{context.job}: no threshold could be calibrated ({error}); run `rollcall calibrate`")
        return
    context.log.info(f"{context.job}: threshold {row['threshold']:.4f} holds FPIR {found.fpir:g}")
