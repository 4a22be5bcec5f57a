"""A table as it is declared: columns with comments, key, partitions, constraints, and whom each column tells of."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from pyspark.sql import types as T

SCHEMA_VERSION = "11"
"""Raised by hand when tables change in a way that needs a migration: see `schemas/migration.py`."""

Carries = Literal[
    "person", "name", "image", "face", "sample", "uri", "content", "embedding", "embedding digest", "features",
    "cluster", "digest", "hashed", "keyed", "words", "operator", "labels", "place", "nothing",
]  # fmt: skip
"""What a column tells of somebody, so that what derives from a person or an image can be found and erased.

person, name: the id and the name of somebody who is registered. image, face, sample, uri: what was seen, and where.
content: the digest of an image's bytes. embedding, embedding digest, features: numbers computed from a face. cluster: a
group of faces, by an id that names none. digest: of many rows together. hashed: an id or URI, to who has it. keyed: a
hash that tells of somebody only to who has its key and the name. words: free text, which may say anything. operator:
who works with Rollcall. labels, place: groups of persons or faces, and where images come from. nothing: nobody.
"""
CARRIED = get_args(Carries)


@dataclass(frozen=True)
class Column:
    """One column; `type` is Spark DDL. carries: what it tells of somebody; None of plain numbers and times alone."""

    name: str
    type: str
    comment: str
    nullable: bool = False
    carries: Carries | None = None


@dataclass(frozen=True)
class Table:
    """One table. `row` says what one row is; `constraints` are SQL conditions by name, checked on write.

    order_by: columns by which `maintain` orders the rows of a partition, for queries that look for their values.
    """

    name: str
    row: str
    written_by: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()
    constraints: dict[str, str] = field(default_factory=dict)
    order_by: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()

    def carrying(self, *kinds: Carries) -> list[Column]:
        """The columns that tell of these, in order."""
        return [column for column in self.columns if column.carries in kinds]

    @cached_property
    def schema(self) -> T.StructType:
        """The Spark schema, comments and nullability included. Spark's JVM is asked for each column's."""
        return T.StructType(
            [
                T.StructField(
                    column.name,
                    T._parse_datatype_string(column.type),
                    column.nullable,
                    {"comment": column.comment},
                )
                for column in self.columns
            ]
        )

    @property
    def names(self) -> list[str]:
        """The columns' names in order."""
        return [column.name for column in self.columns]

    @property
    def properties(self) -> dict[str, str]:
        """Delta table properties, the constraints among them (to add one later costs a commit)."""
        # No minima and maxima of other columns in the log: they would show names and embeddings.
        return {
            "rollcall.schemaVersion": SCHEMA_VERSION,
            "delta.dataSkippingStatsColumns": ",".join(self._skipping),
            # Said, as a session may have another default: not every reader opens tables with deletion vectors.
            "delta.enableDeletionVectors": "false",
            **{f"delta.constraints.{name}": condition for name, condition in self.constraints.items()},
        }

    @property
    def _skipping(self) -> list[str]:
        often_filtered = [name for name in ("image_id", "contract_id") if name in self.names]
        columns = dict.fromkeys((*self.key, *often_filtered))
        return [name for name in columns if name not in self.partition_by]
