"""What identify decides to do, on frames of a few rows: no table is read."""

from collections.abc import Sequence

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from jobs.matching.incremental import GalleryChange
from jobs.matching.plan import ATTRIBUTES, UpdatePlan
from tests.rows import CONTRACT, DAY, frame

NOTE = Row(search_id="s", threshold_id="t")


def faces(spark: SparkSession, **sizes: float) -> DataFrame:
    rows = [
        {"face_id": name, "image_id": "i", "quality": (size, *(0.0,) * 6), "embedding": [1.0]}
        for name, size in sizes.items()
    ]
    return frame(spark, "faces", rows).select(*ATTRIBUTES)


def decided(spark: SparkSession, *names: str) -> DataFrame:
    return spark.createDataFrame([(name, "match") for name in names], "face_id string, decision string")


def plan(
    present: DataFrame, rows: DataFrame, standing: Row | None, change: GalleryChange | None = None, **more: bool
) -> UpdatePlan:
    return UpdatePlan.of(present, rows, 40.0, standing, change, more.get("redecide", False))


def names(found: DataFrame) -> Sequence[str]:
    return sorted(row.face_id for row in found.collect())


def test_new_faces_are_fresh_and_those_without_a_picture_are_dropped(spark: SparkSession) -> None:
    made = plan(faces(spark, a=50.0, b=50.0, small=39.9), decided(spark, "a", "gone"), NOTE)
    assert (names(made.ids("fresh")), names(made.ids("known")), names(made.ids("dropped"))) == (
        ["b", "small"],
        ["a"],
        ["gone"],
    )
    assert names(made.identifiable("fresh")) == ["b"], "too small to be searched for, and yet to be written"
    assert (made.count("fresh"), made.count("known"), made.count("dropped")) == (2, 1, 1)
    assert made.counts["fresh", True] == 1
    assert not made.is_done
    assert {(row.face_id, row.contract_id, row.run_date) for row in made.present.collect()} == {
        (name, CONTRACT, DAY) for name in ("a", "b", "small")
    }


def test_without_a_note_everything_is_fresh(spark: SparkSession) -> None:
    made = plan(faces(spark, a=50.0, b=50.0), decided(spark, "a", "gone"), None)
    assert (names(made.ids("fresh")), names(made.ids("dropped"))) == (["a", "b"], ["gone"])
    assert not made.is_done


@pytest.mark.parametrize(
    ("rows", "redecide", "is_done"),
    [(("a",), False, True), (("a",), True, False), ((), False, False), (("a", "b"), False, False)],
)
def test_when_there_is_nothing_to_do(spark: SparkSession, rows: tuple[str, ...], redecide: bool, is_done: bool) -> None:
    made = plan(faces(spark, a=50.0), decided(spark, *rows), NOTE, redecide=redecide)
    assert made.is_done is is_done


def test_a_change_of_the_gallery_is_something_to_do(spark: SparkSession) -> None:
    none = spark.createDataFrame([], "sample_id string, person_id string")
    made = plan(faces(spark, a=50.0), decided(spark, "a"), NOTE, GalleryChange(none, none, none))
    assert not made.is_done, "the note is to say what the rows stand for now"
    assert made.count("fresh") == 0
