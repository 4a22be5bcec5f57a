"""Which faces and images are to go: their time is over, and nothing holds them."""

from collections import Counter
from dataclasses import dataclass, field

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.retention.holds import held_faces
from jobs.retention.limits import FACES, IN_REVIEW, MATCHES, REJECTED, UNKNOWN, WITHOUT_FACES, Limits
from jobs.run.context import Context
from schemas.names import Names

LAST_FACE = "with their last face"
"""Why an image goes that is not of a kind of its own."""


@dataclass(frozen=True)
class Due:
    """Cut loose from the tables.

    faces: face_id, image_id and run_date of the faces that go. images: image_id, run_date and source (or null) of the
    images that go. staying: run_date of the faces of dates before the horizon that stay. held: face_id, image_id and
    run_date of those of them that stay because they are held; held_count: their number. faces_by_kind, images_by_kind:
    how many go, and why. held_by: how many faces each investigation holds; one that several hold counts for each.
    """

    faces: DataFrame
    images: DataFrame
    staying: DataFrame
    held: DataFrame
    faces_by_kind: Counter[str] = field(default_factory=Counter)
    images_by_kind: Counter[str] = field(default_factory=Counter)
    held_by: Counter[str] = field(default_factory=Counter)
    held_count: int = 0

    @classmethod
    def of(cls, context: Context, limits: Limits) -> "Due":
        """What is due now."""
        old = F.col("run_date") < F.lit(limits.horizon)
        names = Names(context.spark, context.tables)
        of_image = names.rows("images").where(old).select("image_id", "run_date", "source")
        holds = held_faces(context, limits.on).localCheckpoint()
        faces = names.rows("faces").where(old).select("face_id", "image_id", "run_date")
        faces = (
            faces.join(of_image, ["image_id", "run_date"], "left")
            .join(_kinds(names, limits), "face_id", "left")
            .withColumn("kind", F.coalesce("kind", F.lit(UNKNOWN)))
            .join(holds.select("face_id", F.lit(True).alias("held")).distinct(), "face_id", "left")
            .withColumns({"over": limits.is_over_for(F.col("kind")), "held": F.coalesce("held", F.lit(False))})
            .localCheckpoint()
        )
        goes = F.col("over") & ~F.col("held")
        counted = faces.groupBy("kind", "over", "held").count().collect()
        images = _images(names, limits, faces.where(~goes), of_image).localCheckpoint()
        held = faces.where("over AND held").select("face_id", "image_id", "run_date")
        held_count = sum(row["count"] for row in counted if row.over and row.held)
        by = holds.join(held, "face_id").groupBy("investigation").count().collect() if held_count else []
        return cls(
            faces.where(goes).select("face_id", "image_id", "run_date"),
            images.select("image_id", "run_date", "source"),
            faces.where(~goes).select("run_date"),
            held,
            Counter({row.kind: row["count"] for row in counted if row.over and not row.held}),
            Counter({row.kind: row["count"] for row in images.groupBy("kind").count().collect()}),
            Counter({row.investigation: row["count"] for row in by}),
            held_count,
        )

    @property
    def is_empty(self) -> bool:
        """Whether no face and no image goes."""
        return not (self.faces_by_kind or self.images_by_kind)


def _kinds(names: Names, limits: Limits) -> DataFrame:
    """face_id and kind, of faces that show somebody or may, in any gallery, as sightings and review_queue have it."""
    decided = names.rows("identifications").where(F.col("run_date") < F.lit(limits.horizon))
    said = names.rows("reviewed").select("face_id", "gallery_name", "person_id", "state")
    reviewed = decided.join(said, ["face_id", "gallery_name", "person_id"], "left")
    state, decision = F.coalesce("state", F.lit("")), F.col("decision")
    shows = (state == "confirmed") | ((decision == "match") & (state != "rejected"))
    in_doubt = state.isin("awaits_signature", "disputed", "unsure") | ((decision == "review") & (state == ""))
    best = F.min(F.when(shows, FACES.index(MATCHES)).when(in_doubt, FACES.index(IN_REVIEW)))
    found = reviewed.groupBy("face_id").agg(best.alias("best")).where("best IS NOT NULL")
    return found.select(
        "face_id", F.when(F.col("best") == FACES.index(MATCHES), MATCHES).otherwise(IN_REVIEW).alias("kind")
    )


def _images(names: Names, limits: Limits, staying: DataFrame, of_image: DataFrame) -> DataFrame:
    """image_id, run_date, source, kind of the images that go: those all of whose outcomes are over, whatever models and
    limits they are of. An outcome with faces is over when none of the image's faces stays."""
    there = staying.select("image_id").distinct().withColumn("has_faces", F.lit(True))
    outcomes = names.rows("image_outcomes").where(F.col("run_date") < F.lit(limits.horizon))
    outcome = F.col("outcome")
    kind = F.when(outcome == "faces", LAST_FACE).when(outcome == "no_face", WITHOUT_FACES).otherwise(REJECTED)
    over = (
        F.when(F.col("has_faces"), False)
        # An outcome that a killed run has left, when it had removed the image.
        .when(~F.col("is_listed"), True)
        .when(F.col("kind") == LAST_FACE, limits.is_over(*FACES))
        .otherwise(limits.is_over_for(F.col("kind")))
    )
    return (
        outcomes.select("image_id", "run_date", kind.alias("kind"))
        .join(of_image.withColumn("is_listed", F.lit(True)), ["image_id", "run_date"], "left")
        .join(there, "image_id", "left")
        .withColumn("is_listed", F.coalesce("is_listed", F.lit(False)))
        .withColumn("over", over)
        .groupBy("image_id", "run_date", "source")
        # Of several kinds the first by name, so that an image is counted once.
        .agg(F.bool_and("over").alias("over"), F.min("kind").alias("kind"))
        .where("over")
    )
