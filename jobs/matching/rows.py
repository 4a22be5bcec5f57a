"""The rows of `matches` and `identifications`, from faces and the persons nearest to them."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.matching.question import IdentificationQuestion


def match_rows(present: DataFrame, found: DataFrame, gallery_name: str, run_id: str) -> DataFrame:
    """present: ATTRIBUTES of faces. found: their nearest persons (matching.CANDIDATE)."""
    return present.join(found, "face_id").select(
        "face_id",
        F.lit(gallery_name).alias("gallery_name"),
        "person_id",
        "image_id",
        "run_date",
        "contract_id",
        "rank",
        "sample_id",
        "similarity",
        F.lit(run_id).alias("run_id"),
    )


def identification_rows(
    faces: DataFrame,
    matches: DataFrame,
    near_cohort: DataFrame,
    question: IdentificationQuestion,
    gallery_name: str,
    run_id: str,
) -> DataFrame:
    """The decisions on faces.

    faces: ATTRIBUTES. matches: the nearest persons of these faces (matching.CANDIDATE). near_cohort:
    (matching.COHORT_SIMILARITY), of faces whose scores are normalised.
    """
    thresholds = question.thresholds

    def of_rank(rank: int) -> Column:
        return F.max(F.when(F.col("rank") == rank, F.struct("person_id", "sample_id", "similarity")))

    two_best = matches.groupBy("face_id").agg(of_rank(1).alias("best"), of_rank(2).alias("second"))
    decision = (
        F.when(F.col("quality.size") < question.minimum_size, "too_small")
        .when(F.col("score") >= thresholds.match, "match")
        .when(F.col("score") >= thresholds.review, "review")
        .otherwise("unknown")
    )
    return (
        faces.join(two_best, "face_id", "left")
        .join(near_cohort, "face_id", "left")
        .select("*", "best.*")
        .withColumn("score", F.col("similarity") - F.coalesce("cohort_similarity", F.lit(0.0)))
        .select(
            "face_id",
            F.lit(gallery_name).alias("gallery_name"),
            "image_id",
            "run_date",
            "contract_id",
            "quality",
            decision.alias("decision"),
            "person_id",
            "sample_id",
            "similarity",
            F.col("second.person_id").alias("runner_up_person_id"),
            (F.col("similarity") - F.col("second.similarity")).alias("margin"),
            F.when(F.col("similarity").isNotNull(), F.col("cohort_similarity")).alias("cohort_similarity"),
            "score",
            F.lit(thresholds.threshold_id).alias("threshold_id"),
            F.lit(thresholds.match).alias("threshold"),
            F.lit(thresholds.review).alias("review_threshold"),
            F.lit(run_id).alias("run_id"),
        )
    )
