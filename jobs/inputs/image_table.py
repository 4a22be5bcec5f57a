"""A table of images: the columns of Spark's own `binaryFile` source, in the terms of the inventory."""

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from jobs.run.errors import one_line
from udfs.errors import InputError

VERSION = ["uri", "size", "modified_us"]
"""What tells one version of an image from all others; `image_id` is the hash of it."""
_COLUMNS = ("path", "length", "modificationTime", "content")


def contents(context: Context, name: str) -> DataFrame:
    """The table as (uri, size, modified_us, content); nothing is read yet.

    Raises:
        InputError: there is no such table, or it lacks a column.
    """
    try:
        table = context.spark.table(name)
    except AnalysisException as error:
        raise InputError(f"{name}: cannot be opened: {one_line(error)}") from error
    there = {column.lower() for column in table.columns}  # Hive's names have no capitals, and Spark ignores them
    missing = [column for column in _COLUMNS if column.lower() not in there]
    if missing:
        raise InputError(
            f"{name}: has no column {', '.join(missing)}; it needs {', '.join(_COLUMNS)}, as Spark's binaryFile has"
            " them"
        )
    return table.select(
        F.col("path").alias("uri"),
        F.col("length").alias("size"),
        F.unix_micros(F.col("modificationTime").cast("timestamp")).alias("modified_us"),
        "content",
    )


def refuse_ambiguous(name: str, versions: DataFrame) -> None:
    """Refuse rows (VERSION) of a table that cannot be told apart: which bytes would be the image's?

    Raises:
        InputError: two rows agree in path, length and modificationTime, or a row lacks one; it names one path.
    """
    twice = versions.groupBy(VERSION).count().where("count > 1").orderBy(VERSION).first()
    if twice is not None:
        raise InputError(
            f"{name}: {twice['count']} rows have the same path, length and modificationTime ({twice.uri}); keep one of"
            " them"
        )
    without = versions.where("uri IS NULL OR size IS NULL OR modified_us IS NULL").orderBy("uri").first()
    if without is not None:
        row = (
            "a row has no path"
            if without.uri is None
            else f"the row of {without.uri} has no length or modificationTime"
        )
        raise InputError(f"{name}: {row}; fill it in")
