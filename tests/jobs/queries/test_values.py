"""Values of every type and every year are something that can be printed."""

import json

import pytest
from pyspark.sql import SparkSession

from jobs.queries.values import plain_rows
from pages import answers

STATEMENTS = {
    "TIMESTAMP'2026-01-31 12:30:00'": "2026-01-31 12:30:00Z",
    "TIMESTAMP'2026-01-31 12:30:00.125'": "2026-01-31 12:30:00.125000Z",
    "TIMESTAMP_NTZ'2026-01-31 12:30:00'": "2026-01-31 12:30:00",
    "array(TIMESTAMP'2026-01-31 12:30:00')": ["2026-01-31 12:30:00Z"],
    "DATE'2026-01-31'": "2026-01-31",
    "DATE'12000-01-31'": "12000-01-31",
    "DATE'0000-01-31'": "0000-01-31",
    "TIMESTAMP'12000-01-31 00:00:00'": "12000-01-31 00:00:00Z",
    "INTERVAL '2-3' YEAR TO MONTH": "INTERVAL '2-3' YEAR TO MONTH",
    "array(INTERVAL '3' MONTH)": "[INTERVAL '3' MONTH]",
    "INTERVAL '1 02:00:00' DAY TO SECOND": "1 day, 2:00:00",
    "X'00ff'": "00ff",
    "named_struct('size', 40.5D, 'of', X'01')": {"size": 40.5, "of": "01"},
    "map('a', 1, 'b', null)": {"a": 1, "b": None},
    "map(named_struct('x', 1), 2)": [{"key": {"x": 1}, "value": 2}],
    "map(1, array(1, 2))": [{"key": 1, "value": [1, 2]}],
    "CAST(1.50 AS decimal(9, 2))": "1.50",
    "CAST(null AS struct<a: int>)": None,
    "array(named_struct('a', 1), null)": [{"a": 1}, None],
    "true": True,
    "'it is'": "it is",
    "null": None,
}


def test_of_every_type(spark: SparkSession) -> None:
    (row,) = plain_rows(spark.sql(f"SELECT {', '.join(STATEMENTS)}"), 10)
    for value, (statement, wanted) in zip(row, STATEMENTS.items(), strict=True):
        assert value == wanted, statement


def test_columns_of_one_name_and_no_more_rows_than_asked_for(spark: SparkSession) -> None:
    assert plain_rows(spark.sql("SELECT id AS a, id + 1 AS a FROM range(9) ORDER BY id"), 2) == [(0, 1), (1, 2)]
    assert plain_rows(spark.sql("SELECT 1 WHERE false"), 2) == []


ROWS = [
    (1, "two\nlines", {"a": [True, None]}, None, float("nan")),
    (2, "[retired]", [], False, 0.5),
]
NAMES = ["n", "text", "parts", "empty", "number"]


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("csv", 'n,text,parts,empty,number\n1,"two\nlines","{""a"": [true, null]}",,nan\n2,[retired],[],false,0.5\n'),
        (
            "lines",
            '-- 1 --\nn       1\ntext    two\n        lines\nparts   {"a": [true, null]}\nempty\nnumber  nan\n'
            "-- 2 --\nn       2\ntext    [retired]\nparts   []\nempty   false\nnumber  0.5\n",
        ),
    ],
)
def test_forms_for_people(form: str, wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    answers.write(form, NAMES, ROWS)
    assert capsys.readouterr().out == wanted


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    answers.write("json", NAMES, ROWS)
    first, _ = capsys.readouterr().out.splitlines()
    assert json.loads(first, parse_constant=pytest.fail) == {
        "n": 1,
        "text": "two\nlines",
        "parts": {"a": [True, None]},
        "empty": None,
        "number": "nan",
    }
