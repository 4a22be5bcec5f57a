"""What is to be done for the faces of some dates: computed once, then carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.matching.incremental import GalleryChange

State = Literal["fresh", "known", "dropped"]
"""Of a face: it is to be searched for as if for the first time; it has rows; or it has rows and is there no longer."""

ATTRIBUTES = ("face_id", "image_id", "run_date", "contract_id", "quality")


@dataclass(frozen=True)
class UpdatePlan:
    """Which faces are in which state, and what has changed since the rows of these dates were written.

    standing: the note of what the rows stand for; None where they are not an answer to this question, and all faces
    are fresh. change: of the gallery since, if there was one. redecide: the rows were decided by other thresholds.
    faces: ATTRIBUTES (of a dropped face its id alone), state, `decision` (as its row has it, if there is one), and
    `identifiable`: whether a face is large enough.
    counts: faces by state and whether they are identifiable.
    """

    standing: Row | None
    change: GalleryChange | None
    redecide: bool
    faces: DataFrame
    counts: Mapping[tuple[State, bool], int]

    @classmethod
    def of(
        cls,
        present: DataFrame,
        decided: DataFrame,
        minimum_size: float,
        standing: Row | None,
        change: GalleryChange | None,
        redecide: bool,
    ) -> "UpdatePlan":
        """Compare the faces that are there with those that have rows.

        present: ATTRIBUTES, the faces of the dates. decided: face_id and decision, those in `identifications`.
        """
        state = (
            F.when(F.col("here").isNull(), "dropped")
            .when(F.col("there").isNull() | F.lit(standing is None), "fresh")
            .otherwise("known")
        )
        here = present.select(*ATTRIBUTES, F.lit(True).alias("here"))
        there = decided.select("face_id", "decision", F.lit(True).alias("there"))
        identifiable = F.coalesce(F.col("quality.size") >= minimum_size, F.lit(False))
        # Cut loose from the tables: what is to be done must not change while it is being done.
        faces = (
            here.join(there, "face_id", "full")
            .select(*ATTRIBUTES, "decision", state.alias("state"), identifiable.alias("identifiable"))
            .localCheckpoint()
        )
        counted = faces.groupBy("state", "identifiable").count().collect()
        counts = {(row.state, row.identifiable): row["count"] for row in counted}
        return cls(standing, change, redecide, faces, counts)

    def count(self, state: State) -> int:
        """How many faces are in a state."""
        return sum(count for (of_state, _), count in self.counts.items() if of_state == state)

    def ids(self, *states: State) -> DataFrame:
        """face_id of the faces in these states."""
        return self.faces.where(F.col("state").isin(*states)).select("face_id")

    def identifiable(self, state: State) -> DataFrame:
        """face_id of the faces in a state that are large enough to be searched for."""
        return self.faces.where((F.col("state") == state) & F.col("identifiable")).select("face_id")

    @property
    def present(self) -> DataFrame:
        """ATTRIBUTES of the faces that are there."""
        return self.faces.where(F.col("state") != "dropped").select(*ATTRIBUTES)

    @property
    def is_done(self) -> bool:
        """Whether the rows are what they should be, and nothing has changed since."""
        stale = self.redecide and self.count("known") > 0
        return self.standing is not None and self.change is None and not (self.came_or_went or stale)

    @property
    def came_or_went(self) -> bool:
        """Whether there are faces that have no rows yet, or rows whose face is there no longer."""
        return self.count("fresh") + self.count("dropped") > 0
