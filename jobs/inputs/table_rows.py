"""The rows of a Parquet file or a Delta table."""

from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.inputs import arrow_rows, parquet_file
from jobs.inputs.columns import Columns
from jobs.run.context import Context
from schemas.store import spark_path
from udfs import lake
from udfs.errors import InputError

Rows = tuple[list[tuple[str, dict[str, Any]]], list[str]]
"""Where each row stands with its values, and the names of all columns as they are written."""


def from_parquet(uri: str, columns: Columns) -> Rows:
    """The rows of a Parquet file, or of a folder of them.

    Raises:
        InputError: it cannot be read, or its columns are not these.
    """
    files = [file.uri for file in lake.list_directory(uri).files]
    parts = [part for part in files if not part.rpartition("/")[2].startswith(("_", "."))]
    if not parts:
        raise InputError(f"{uri}: contains no Parquet file")
    rows, written = [], dict[str, None]()
    for part in parts:
        file = parquet_file.opened(part, lake.read_anything(part))
        names = parquet_file.names(part, file)
        chosen = columns.chosen(part, names)
        table = parquet_file.read(part, file, list(chosen)).rename_columns(list(chosen.values()))
        where = uri if part == uri else f"{uri}: {part.rpartition('/')[2]}"
        rows += arrow_rows.of_table(where, table)
        written |= dict.fromkeys(names)
    return rows, list(written)


def from_delta(context: Context, uri: str, columns: Columns) -> Rows:
    """The rows of a Delta table.

    Raises:
        InputError: its columns are not these, or it has a value that Python cannot write.
    """
    table = context.spark.read.format("delta").load(spark_path(uri))
    chosen = columns.chosen(uri, table.columns)
    kept = table.select(*(_column(written).alias(name) for written, name in chosen.items()))
    # By Arrow, whose timestamps are UTC; those of `collect` are in the time zone of this machine.
    return arrow_rows.of_table(uri, kept.toArrow()), table.columns


def _column(name: str) -> Column:
    """A column whose name may have dots in it."""
    return F.col(f"`{name.replace('`', '``')}`")
