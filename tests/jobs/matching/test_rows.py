"""Decisions from matches, on frames of a few rows."""

from pyspark.sql import SparkSession

from jobs.decisions.thresholds import IdentificationThresholds
from jobs.matching.plan import ATTRIBUTES
from jobs.matching.question import IdentificationQuestion
from jobs.matching.rows import identification_rows, match_rows
from schemas.catalog import IDENTIFICATIONS, MATCHES
from tests.rows import frame

THRESHOLDS = IdentificationThresholds(match=0.6, review=0.4, threshold_id="t")
QUESTION = IdentificationQuestion(3, 40.0, (), False, 0.1, THRESHOLDS, None, "s")
FOUND = "face_id string, person_id string, sample_id string, similarity double, rank int"


def test_who_is_named_and_who_is_not(spark: SparkSession) -> None:
    sizes = {"sure": 50.0, "unsure": 50.0, "no_one": 50.0, "far": 50.0, "tiny": 39.9, "alike": 50.0}
    rows = [
        {"face_id": name, "image_id": "i", "quality": (size, *(0.0,) * 6), "embedding": [1.0]}
        for name, size in sizes.items()
    ]
    present = frame(spark, "faces", rows).select(*ATTRIBUTES)
    nearest = [
        ("sure", "ann", "s1", 0.6, 1),
        ("sure", "bob", "s2", 0.25, 2),
        ("sure", "cy", "s3", 0.2, 3),
        ("unsure", "ann", "s1", 0.5, 1),
        ("far", "ann", "s1", 0.2, 1),
        ("alike", "ann", "s1", 0.7, 1),
    ]
    matches = match_rows(present, spark.createDataFrame(nearest, FOUND), "g", "r")
    assert sorted(matches.columns) == sorted(MATCHES.names)
    cohort = spark.createDataFrame([("alike", 0.25), ("no_one", 0.25)], "face_id string, cohort_similarity double")
    made = identification_rows(present, spark.createDataFrame(nearest, FOUND), cohort, QUESTION, "g", "r")
    assert sorted(made.columns) == sorted(IDENTIFICATIONS.names)
    found = {row.face_id: row for row in made.collect()}
    assert {name: (row.decision, row.person_id) for name, row in found.items()} == {
        "sure": ("match", "ann"),
        "unsure": ("review", "ann"),
        "far": ("unknown", "ann"),
        "no_one": ("unknown", None),
        "tiny": ("too_small", None),
        "alike": ("review", "ann"),  # as near to strangers: .7 less .25
    }
    assert (found["sure"].runner_up_person_id, found["sure"].margin) == ("bob", 0.6 - 0.25)
    assert found["unsure"].margin is None
    assert found["alike"].score == 0.7 - 0.25
    assert found["no_one"].cohort_similarity is None, "of whom nothing is normalised"
