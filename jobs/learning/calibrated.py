"""A new model gets a threshold at once, from the persons it was not trained on."""

from dataclasses import replace

from evaluation.improvement import Improvement
from jobs.decisions.calibration import CalibrationData, calibrate_on_photos
from jobs.faces.lookup import MeantFaces
from jobs.learning.divided import Photos
from jobs.learning.registered import Trained, with_model
from jobs.run import ledger
from jobs.run.context import Context
from udfs.errors import InputError
from udfs.vision.contract import Contract


def calibrate_on_held_out(
    context: Context,
    child: Contract,
    photos: Photos,
    faces: MeantFaces,
    found: Improvement,
    trained: Trained,
    seed: int,
    images: str,
    run: ledger.Run,
) -> None:
    """Write a threshold of the new contract. What the number of persons cannot carry is said: the model is there all
    the same."""
    of_child = replace(context, settings=with_model(context, trained))
    on = CalibrationData(images, "second", seed)
    review = min(10 * found.fpir, 0.5)
    try:
        row = calibrate_on_photos(
            of_child, child, photos.photos, faces, found.fpir, review, found.gallery_size, 1, 0, on, run
        )
    except InputError as error:
        context.log.warning(f"{context.job}: no threshold could be calibrated ({error}); run `rollcall calibrate`")
        return
    context.log.info(f"{context.job}: threshold {row['threshold']:.4f} holds FPIR {found.fpir:g}")
