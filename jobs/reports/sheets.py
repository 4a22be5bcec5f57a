"""What contact sheets have in common: how much is shown, registered photos beside faces, tables, the foot of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs.run.context import Context
from pages.report import ReportTable


@dataclass(frozen=True)
class Shown:
    """What is shown of many faces: the first `limit`, and no picture of any if blackout."""

    limit: int = 2000
    blackout: bool = False


def with_photos(context: Context, rows: DataFrame) -> DataFrame:
    """Rows that have sample_id, with the registered photo and where the face is in it."""
    photos = context.tables.read_or_empty("gallery").select(
        "sample_id", F.col("uri").alias("photo"), F.col("box").alias("photo_box")
    )
    return rows.join(photos, "sample_id", "left")


def photos_of(rows: list[Row]) -> dict[str, tuple[str, dict[str, float] | None]]:
    """The registered photos that stand beside rows of `with_photos`, and where the face is in each, by sample."""
    return {
        row.sample_id: (row.photo, None if row.photo_box is None else row.photo_box.asDict())
        for row in rows
        if row.photo is not None
    }


def where_it_comes_from(context: Context) -> list[tuple[str, str]]:
    """What stands at the foot of a page."""
    return [("tables", context.tables.place), ("written", f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")]


def table_of(title: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> ReportTable:
    """A table of a page; whole numbers are written with commas, to the right."""
    text = [tuple(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row) for row in rows]
    numbers = [at for at in range(len(columns)) if rows and isinstance(rows[0][at], int)]
    return ReportTable(title, columns, text, numbers, none_of(rows))


def none_of(rows: Sequence[object]) -> str:
    """What is said in the place of no rows."""
    return "" if rows else "None."
