"""Every column that could tell of somebody says what it tells."""

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from schemas.catalog import TABLES
from schemas.table import CARRIED, Column, Table


def may_tell(kind: T.DataType) -> bool:
    """Whether values of a type can be a name, an id or a vector, by themselves or inside."""
    if isinstance(kind, T.StructType):
        return any(may_tell(field.dataType) for field in kind)
    return isinstance(kind, T.StringType | T.BinaryType | T.ArrayType | T.MapType)


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_what_a_column_carries_has_been_thought_about(spark: SparkSession, table: Table) -> None:
    kinds = {field.name: field.dataType for field in table.schema}
    undeclared = [of.name for of in table.columns if may_tell(kinds[of.name]) and of.carries is None]
    assert undeclared == []
    assert {of.carries for of in table.columns} <= {None, *CARRIED}


def test_the_same_name_carries_the_same_everywhere() -> None:
    """But for names that mean two things: what was decided and why, who is called so, and where faces are."""
    found: dict[str, set[str | None]] = {}
    for table in TABLES.values():
        for column in table.columns:
            found.setdefault(column.name, set()).add(column.carries)
    several = {name for name, kinds in found.items() if len(kinds) > 1}
    assert several <= {"reason", "name", "faces"}


def test_a_table_says_which_columns_carry_something() -> None:
    assert [column.name for column in TABLES["enrollments"].carrying("person")] == ["person_id", "other_person_id"]
    assert [column.name for column in TABLES["faces"].carrying("image", "face")] == ["face_id", "image_id"]
    assert Column("rank", "int", "").carries is None
