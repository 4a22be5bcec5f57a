"""The values of an answer, as what text can hold: of any type that SQL has, and of any year."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

_NOT_IN_ARROW = (T.YearMonthIntervalType, T.CalendarIntervalType, T.VariantType)


def plain_rows(answer: DataFrame, limit: int) -> list[tuple[Any, ...]]:
    """At most so many rows, of None, bool, int, float and str, and of lists and dicts of these.

    Points in time are text in UTC, which ends in Z, and have no Z where they are of no time zone; dates, intervals and
    decimals are text; bytes are hexadecimal. A map with other keys than text is a list of its entries.
    """
    # By place: two columns may have one name.
    by_place = answer.toDF(*[str(at) for at in range(len(answer.columns))])
    shown = by_place.select(*[_for_arrow(field) for field in by_place.schema]).limit(limit).toArrow()
    columns = [_plain(column.combine_chunks()) for column in shown.columns]
    return list(zip(*columns, strict=True)) if columns else []


def _for_arrow(field: T.StructField) -> Column:
    column = F.col(f"`{field.name}`")
    kind = T.StringType() if _holds(field.dataType, _NOT_IN_ARROW) else _nullable(field.dataType)
    return column.cast(kind).alias(field.name)


def _nullable(kind: T.DataType) -> T.DataType:
    """The same type with nulls everywhere: without, pyspark fails on a null struct in an array."""
    if isinstance(kind, T.StructType):
        return T.StructType([T.StructField(field.name, _nullable(field.dataType)) for field in kind])
    if isinstance(kind, T.ArrayType):
        return T.ArrayType(_nullable(kind.elementType))
    return T.MapType(_nullable(kind.keyType), _nullable(kind.valueType)) if isinstance(kind, T.MapType) else kind


def _holds(kind: T.DataType, kinds: tuple[type[T.DataType], ...]) -> bool:
    if isinstance(kind, T.StructType):
        return any(_holds(field.dataType, kinds) for field in kind)
    if isinstance(kind, T.ArrayType):
        return _holds(kind.elementType, kinds)
    if isinstance(kind, T.MapType):
        return _holds(kind.keyType, kinds) or _holds(kind.valueType, kinds)
    return isinstance(kind, kinds)


def _plain(array: pa.Array) -> list[Any]:
    kind = array.type
    if pa.types.is_nested(kind):
        return _plain_parts(array)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return [_short(value) for value in array.cast(pa.string()).to_pylist()]
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return [None if value is None else value.hex() for value in array.to_pylist()]
    if pa.types.is_decimal(kind):
        return [None if value is None else format(value, "f") for value in array.to_pylist()]
    if pa.types.is_duration(kind):
        return [None if value is None else str(value) for value in array.to_pylist()]
    return list(array.to_pylist())


def _plain_parts(array: pa.Array) -> list[Any]:
    kind = array.type
    if pa.types.is_struct(kind):
        parts = [_plain(array.field(at)) for at in range(kind.num_fields)]
        names = [field.name for field in kind]
        whole = [dict(zip(names, values, strict=True)) for values in zip(*parts, strict=True)] or [{}] * len(array)
        return _where_valid(array, whole.__getitem__)
    if pa.types.is_map(kind):
        keys, items = _plain(array.keys), _plain(array.items)
        begins = array.offsets.to_pylist()
        return _where_valid(array, lambda at: _entries(keys, items, begins[at], begins[at + 1]))
    values, begins = _plain(array.values), array.offsets.to_pylist()
    return _where_valid(array, lambda at: values[begins[at] : begins[at + 1]])


def _where_valid(array: pa.Array, value: Callable[[int], Any]) -> list[Any]:
    return [value(at) if valid else None for at, valid in enumerate(array.is_valid().to_pylist())]


def _entries(keys: list[Any], items: list[Any], begin: int, end: int) -> Any:
    pairs = list(zip(keys[begin:end], items[begin:end], strict=True))
    if all(isinstance(key, str) for key, _ in pairs):
        return dict(pairs)
    return [{"key": key, "value": item} for key, item in pairs]


def _short(value: str | None) -> str | None:
    """A point in time without parts of a second, if it has none."""
    return None if value is None else value.replace(".000000", "")
