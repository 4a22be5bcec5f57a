"""Which faces are to be grouped."""

from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.faces.images import images_of
from jobs.registry.activation import activated
from jobs.run.context import Context
from jobs.run.settings import Cluster
from schemas.catalog import UNKNOWN_FACES
from schemas.names import Names
from udfs.errors import InputError


@dataclass(frozen=True)
class AskedFaces:
    """Faces of some dates, of some images; without any of these, all. known_too: those of registered persons as well.

    grouping: the name under which their groups are kept.
    """

    grouping: str
    first: date | None
    last: date | None
    source: str | None
    case_id: str | None
    known_too: bool

    @classmethod
    def of(
        cls,
        grouping: str | None,
        first: date | None,
        last: date | None,
        source: str | None,
        case_id: str | None,
        known_too: bool,
    ) -> "AskedFaces":
        """As asked for.

        Raises:
            InputError: others than all unknown faces, without a name.
        """
        grouping = (grouping or "").strip() or UNKNOWN_FACES
        some = any(value is not None for value in (first, last, source, case_id)) or known_too
        if some and grouping == UNKNOWN_FACES:
            raise InputError(
                "groups of other faces than all unknown ones are kept under a name of their own: --grouping NAME"
            )
        if first is not None and last is not None and first > last:
            raise InputError(f"--from {first} is after --to {last}")
        return cls(grouping, first, last, source, case_id, known_too)

    def rows(self, context: Context, faces: DataFrame, founds: Column) -> DataFrame:
        """run_date, settings_id, face_id, founds: of those among `faces` that are asked for.

        Raises:
            InputError: no image is of that source or case.
        """
        if self.first is not None:
            faces = faces.where(F.col("run_date") >= F.lit(self.first))
        if self.last is not None:
            faces = faces.where(F.col("run_date") <= F.lit(self.last))
        images = images_of(context, self.source, self.case_id)
        if images is not None:
            faces = faces.join(images, ["image_id", "run_date"], "left_semi")
        if not self.known_too:
            faces = faces.join(_of_registered(context), ["face_id", "run_date"], "left_anti")
        return faces.select("run_date", "settings_id", "face_id", founds.alias("founds"))


def contract_in_force(context: Context) -> tuple[str, str]:
    """The contract whose faces are grouped, and its embedder: the activated one, else the only one there are faces of.

    Raises:
        InputError: there are no faces, or there are faces of several contracts and none is activated.
    """
    chosen = activated(context)
    faces = context.tables.read("faces").select("contract_id").distinct()
    there = context.tables.read_or_empty("contracts").join(faces, "contract_id").orderBy("contract_id").collect()
    found = [row for row in there if chosen in (None, row.contract_id)]
    if not found:
        raise InputError(f"{context.tables.place} has no faces of the contract in force; run `rollcall embed` first")
    if len(found) > 1:
        told = ", ".join(f"{row.embedder} ({row.contract_id[:12]})" for row in found)
        raise InputError(f"there are faces of several contracts: {told}; choose one with `rollcall activate`")
    return found[0].contract_id, found[0].embedder


def founds_groups(settings: Cluster) -> Column:
    """Whether a face is good enough to found a group; what is not joins one."""
    return (F.col("quality.size") >= settings.minimum_size) & (F.col("quality.sharpness") >= settings.minimum_sharpness)


def _of_registered(context: Context) -> DataFrame:
    """face_id, run_date of the faces that show a person, as the view sightings has it."""
    decided = context.tables.read_or_empty("identifications").where(F.col("person_id").isNotNull())
    said = Names(context.spark, context.tables).rows("reviewed").select("face_id", "gallery_name", "person_id", "state")
    reviewed = decided.join(said, ["face_id", "gallery_name", "person_id"], "left")
    rejected = F.coalesce(F.col("state"), F.lit("")) == "rejected"
    confirmed = F.coalesce(F.col("state"), F.lit("")) == "confirmed"
    return reviewed.where(confirmed | ((F.col("decision") == "match") & ~rejected)).select("face_id", "run_date")
