"""What an erasure would do: the rows of each table, and what is kept beside the tables."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.erasure.beside import Beside
from jobs.erasure.closure import Closure
from jobs.erasure.galleries_searched import SearchedGallery, searched_galleries
from jobs.erasure.rows import ORDER, TableRows, rows_of
from jobs.run.context import Context
from schemas.catalog import TABLES

_AT_ONCE = 4
"""Tables: what is asked of each are small jobs of Spark."""


@dataclass(frozen=True)
class Plan:
    """tables: in the order in which they are changed. galleries: states of galleries that were searched. beside: what
    is kept beside the tables."""

    tables: dict[str, TableRows]
    galleries: list[SearchedGallery]
    beside: Beside
    _none: TableRows = field(default_factory=lambda: TableRows(""))

    @classmethod
    def of(cls, context: Context, closure: Closure) -> "Plan":
        """What becomes of the tables as they are now."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            found = pool.map(partial(rows_of, context, closure), ORDER)
            tables = dict(zip(ORDER, found, strict=True))
        return cls(tables, searched_galleries(context, closure), Beside.of(context, closure))

    def of_table(self, table: str) -> TableRows:
        """What becomes of the rows of a table."""
        return self.tables.get(table, self._none)

    @property
    def concerned(self) -> list[str]:
        """The tables of which something is erased."""
        found = [table for table, rows in self.tables.items() if not rows.is_empty]
        return found + (["searches", "searched_samples"] if self.galleries else [])

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to erase."""
        return not (self.concerned or self.beside.count)

    @property
    def counts(self) -> dict[str, int]:
        """Rows that go and that change by table, and what is beside."""
        found: dict[str, int] = {}
        for table, rows in self.tables.items():
            found |= {table: rows.deleted} if rows.deleted else {}
            found |= {f"{table} changed": rows.rewritten} if rows.rewritten else {}
        if self.galleries:
            found["searched_samples"] = sum(gallery.gone for gallery in self.galleries)
            found["searches changed"] = sum(len(gallery.dates) for gallery in self.galleries)
        return found | self.beside.counts

    def going(self, context: Context, table: str) -> DataFrame:
        """The rows of a table that go."""
        gone = self.of_table(table).gone
        rows = context.tables.read(table)
        return rows.limit(0) if gone is None else rows.join(_keys(gone, table), _same(table), "left_semi")

    def staying(self, context: Context, table: str) -> DataFrame:
        """The rows of a table that stay."""
        gone = self.of_table(table).gone
        rows = context.tables.read(table)
        return rows if gone is None else rows.join(_keys(gone, table), _same(table), "left_anti")


def _keys(gone: DataFrame, table: str) -> DataFrame:
    return gone.select(*[F.col(name).alias(f"_{name}") for name in TABLES[table].key])


def _same(table: str) -> Column:
    same = F.lit(True)
    for name in TABLES[table].key:
        same = same & F.col(name).eqNullSafe(F.col(f"_{name}"))
    return same
