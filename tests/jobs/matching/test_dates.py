"""Which dates are alike: on which the same samples are valid."""

from datetime import date

import pytest
from pyspark.sql import SparkSession

from jobs.matching import dates
from schemas.literals import on_dates
from tests.rows import DAY, NEXT_DAY

SPAN = "valid_from date, valid_to date"


@pytest.mark.parametrize(
    ("samples", "alike"),
    [
        ([(None, None)], True),
        ([(NEXT_DAY, None)], False),
        ([(DAY, None)], True),
        ([(None, DAY)], False),
        ([(None, NEXT_DAY)], True),
        ([(date(2026, 1, 1), date(2026, 1, 2)), (date(2026, 3, 1), None)], True),
    ],
)
def test_samples_that_begin_or_end_between_two_dates_tell_them_apart(
    spark: SparkSession, samples: list[tuple[date | None, date | None]], alike: bool
) -> None:
    assert dates.alike(spark.createDataFrame(samples, SPAN), [DAY, NEXT_DAY]) is alike


def test_rows_on_dates(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(DAY,), (NEXT_DAY,), (date(2026, 3, 1),), (None,)], "run_date date")
    assert [row.run_date for row in rows.where(on_dates([NEXT_DAY, DAY])).collect()] == [DAY, NEXT_DAY]
    assert rows.where(~on_dates([DAY])).count() == 2
