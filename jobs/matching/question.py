"""What `identify` is asked, besides the faces and the gallery."""

from dataclasses import dataclass

from jobs.decisions.cohort import Cohort
from jobs.decisions.thresholds import IdentificationThresholds
from jobs.inputs.person_ids import trimmed
from jobs.registry.snapshot import GallerySnapshot
from jobs.run.context import Context
from udfs.ids import stable_id


@dataclass(frozen=True)
class IdentificationQuestion:
    """Who is looked for, and what decides. search_id covers who is found, not the thresholds.

    k: persons kept for each face. minimum_size: pixels; smaller faces are not searched for. labels: sorted; samples
    must have one of them, if there are any. exclude_self: a face is not compared with samples that were enrolled from
    the photo it is in. keep_floor: persons less similar are not kept.
    """

    k: int
    minimum_size: float
    labels: tuple[str, ...]
    exclude_self: bool
    keep_floor: float
    thresholds: IdentificationThresholds
    cohort: Cohort | None
    search_id: str

    @classmethod
    def of(
        cls,
        context: Context,
        gallery: GallerySnapshot,
        thresholds: IdentificationThresholds,
        *,
        k: int | None,
        minimum_size: float | None,
        labels: tuple[str, ...],
        exclude_self: bool,
    ) -> "IdentificationQuestion":
        """What was asked, else what the settings say."""
        settings = context.settings
        keep_floor = settings.keep_floor(gallery.embedder)
        if thresholds.cohort_id is None:
            # Lower thresholds than the floor would ask for persons who were not kept.
            keep_floor = min(keep_floor, thresholds.review)
        k = k or settings.identify.k
        minimum_size = float(settings.identify.minimum_size if minimum_size is None else minimum_size)
        labels = tuple(sorted({trimmed(label) for label in labels}))
        search_id = stable_id(
            "search", gallery.contract_id, k, str(keep_floor), str(minimum_size), str(exclude_self), *labels
        )
        cohort = None if thresholds.cohort_id is None else Cohort.read(context, thresholds.cohort_id)
        return cls(k, minimum_size, labels, exclude_self, keep_floor, thresholds, cohort, search_id)
