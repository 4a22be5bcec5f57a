"""What a row says, whatever the type of its column."""

from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.inputs.records import Record
from udfs.errors import InputError


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_a_whole_number_is_one_id_in_every_column(number: int) -> None:
    columns = (number, float(number), Decimal(number), Decimal(f"{number}.00"), f" {number} ", f"{number}".encode())
    assert {Record("x", {"person_id": value}).person("person_id") for value in columns} == {str(number)}


@given(
    st.one_of(
        st.floats(allow_nan=False).filter(lambda value: not (value.is_integer() and abs(value) < 2**53)),
        st.decimals(allow_nan=False, allow_infinity=False).filter(lambda value: value != value.to_integral_value()),
        st.booleans(),
        st.dates(),
        st.datetimes(),
        st.lists(st.text()),
        st.binary(min_size=1).map(lambda value: b"\xff" + value),
    )
)
def test_what_is_no_id_is_refused_with_the_row(value: object) -> None:
    for ask in (lambda row: row.person("person_id"), lambda row: row.uri("person_id", "file:///people.csv")):
        with pytest.raises(InputError, match=r"^x: person_id is "):
            ask(Record("x", {"person_id": value}))


def test_nan_is_nothing() -> None:
    """As pandas writes where there is none."""
    assert Record("x", {"person_id": float("nan")}).person("person_id") == ""
    assert Record("x", {"uri": float("nan")}).uri("uri", "file:///people.csv") == ""


def test_a_long_value_is_shortened_in_messages() -> None:
    for value in (b"\xff" * 10**6, ["a" * 10**6]):
        with pytest.raises(InputError) as refused:
            Record("x", {"person_id": value}).person("person_id")
        assert len(str(refused.value)) < 200


def test_other_values() -> None:
    row = Record(
        "x", {"none": None, "nan": float("nan"), "true": True, "uuid": UUID(int=7), "half": 0.5, "list": ["a"]}
    )
    assert [row.text(name) for name in ("none", "nan", "away", "true", "half")] == ["", "", "", "True", "0.5"]
    assert row.person("uuid") == "00000000-0000-0000-0000-000000000007"
    assert (row.texts("list"), row.texts("none")) == (["a"], [])
    with pytest.raises(InputError, match="x: half must be an array of strings, or text"):
        row.texts("half")
