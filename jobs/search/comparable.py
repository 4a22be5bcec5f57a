"""Which faces of a date can be compared with a gallery."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.gallery.snapshot import GallerySnapshot
from jobs.run.context import Context
from udfs.errors import InputError
from udfs.vision.contract import settings_id


class IncomparableError(InputError):
    """The faces of a date and the samples of a gallery cannot be compared."""


def comparable(context: Context, gallery: GallerySnapshot, run_dates: Sequence[date]) -> DataFrame:
    """The faces of dates that can be compared with a gallery, each found once.

    Where images of a date were embedded under several limits, those of the settings count.

    Raises:
        IncomparableError: all of a date are of another contract, or were found under several limits, none of them
            configured.
    """
    of_dates = context.tables.read("faces").where(F.col("run_date").isin(*run_dates))
    found = of_dates.select("run_date", "contract_id", "settings_id").distinct().collect()
    configured_only: list[Column] = []
    for run_date in sorted({row.run_date for row in found}):
        contracts = sorted({row.contract_id for row in found if row.run_date == run_date})
        if gallery.contract_id not in contracts:
            raise IncomparableError(
                f"the faces of {run_date} are of contract {', '.join(contracts)}, gallery {gallery.name!r} of"
                f" {gallery.contract_id}, and cannot be compared; embed or enroll with the other's models"
            )
        here = [row for row in found if (row.run_date, row.contract_id) == (run_date, gallery.contract_id)]
        limits = sorted(row.settings_id for row in here)
        if len(limits) <= 1:
            continue
        if (configured := settings_id(context.settings.spec())) not in limits:
            raise IncomparableError(
                f"the faces of {run_date} were found under several limits ({', '.join(limits)}), and the settings"
                f" are others ({configured}); identify with the settings of the embed run that counts"
            )
        configured_only.append((F.col("run_date") != F.lit(run_date)) | (F.col("settings_id") == configured))
    comparable_faces = of_dates.where(F.col("contract_id") == gallery.contract_id)
    return reduce(DataFrame.where, configured_only, comparable_faces)
