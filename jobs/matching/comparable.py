"""Which faces of a date can be compared with a gallery."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from schemas.literals import on_dates
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
    of_dates = context.tables.read("faces").where(on_dates(run_dates))
    found = of_dates.select("run_date", "contract_id", "settings_id").distinct().collect()
    contracts_of: dict[date, set[str]] = {}
    limits_of: dict[date, set[str]] = {}
    for row in found:
        contracts_of.setdefault(row.run_date, set()).add(row.contract_id)
        if row.contract_id == gallery.contract_id:
            limits_of.setdefault(row.run_date, set()).add(row.settings_id)
    configured = settings_id(context.settings.spec())
    configured_only: list[date] = []
    for run_date, contracts in sorted(contracts_of.items()):
        if gallery.contract_id not in contracts:
            raise IncomparableError(
                f"the faces of {run_date} are of contract {', '.join(sorted(contracts))}, gallery {gallery.name!r} of"
                f" {gallery.contract_id}, and cannot be compared; embed or enroll with the other's models"
            )
        limits = limits_of[run_date]
        if len(limits) > 1 and configured not in limits:
            raise IncomparableError(
                f"the faces of {run_date} were found under several limits ({', '.join(sorted(limits))}), and the"
                f" settings are others ({configured}); identify with the settings of the embed run that counts"
            )
        if len(limits) > 1:
            configured_only.append(run_date)
    comparable_faces = of_dates.where(F.col("contract_id") == gallery.contract_id)
    if configured_only:
        comparable_faces = comparable_faces.where(~on_dates(configured_only) | (F.col("settings_id") == configured))
    return comparable_faces
