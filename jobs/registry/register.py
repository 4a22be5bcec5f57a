"""What stands written of one gallery: the decisions on its photos, and its samples."""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.store import Tables
from udfs.errors import InputError

TRIED_AGAIN = ("rejected:unreadable", "rejected:gone", "rejected:forbidden")
"""The reasons of refusals that are not final: the file may be there tomorrow."""


@dataclass(frozen=True)
class Register:
    """The rows of `enrollments` and `gallery` of one gallery under one contract, as they stand before an enrolment.

    Photos with the same content are one sample, decided once; each of them has an enrollment. enrollments, samples:
    None where there is no such table yet, so that nothing is asked of it.
    """

    gallery_name: str
    contract_id: str
    enrollments: DataFrame | None
    samples: DataFrame | None

    @classmethod
    def open(cls, tables: Tables, gallery_name: str, contract_id: str, beside: bool = False) -> "Register":
        """Read what the tables say.

        beside: whether there may be samples of another contract in this gallery.

        Raises:
            InputError: there are, and they may not.
        """
        here = F.col("gallery_name") == gallery_name
        of_contract = here & (F.col("contract_id") == contract_id)
        samples = enrollments = None
        if tables.exists("enrollments"):
            enrollments = tables.read("enrollments").where(of_contract)
        if tables.exists("gallery"):
            gallery = tables.read("gallery")
            samples = gallery.where(of_contract)
            in_force = gallery.where(here & F.col("withdrawn_at").isNull())
            other = in_force.where(F.col("contract_id") != contract_id).select("contract_id").first()
            if other is not None and not beside:
                raise InputError(
                    f"gallery {gallery_name!r} is of contract {other.contract_id}, the settings of {contract_id}:"
                    " their embeddings cannot be compared; configure its models, name another gallery, or move this one"
                    " to the new models: --beside, and then `rollcall activate`"
                )
        return cls(gallery_name, contract_id, enrollments, samples)

    @property
    def final(self) -> DataFrame | None:
        """The enrollments with a final decision."""
        return None if self.enrollments is None else self.enrollments.where(~F.col("reason").isin(*TRIED_AGAIN))

    @property
    def in_force(self) -> DataFrame | None:
        """The samples that are searched for."""
        return None if self.samples is None else self.samples.where(F.col("withdrawn_at").isNull())
