"""Brings a table that an older release of Rollcall wrote to the present schema version.

To add a version: raise `SCHEMA_VERSION`, and say in `STEPS` what brings a table of the version before to it. A version
that only adds columns needs `add_declared_columns` and nothing else.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from delta import DeltaTable
from pyspark.sql import DataFrame, SparkSession

from schemas.literals import quoted
from schemas.table import SCHEMA_VERSION, Table

LOGGER = logging.getLogger("rollcall")

VERSION = "rollcall.schemaVersion"
"""The property of a table that holds its schema version."""

_CONSTRAINT = "delta.constraints."
_DELETION_VECTORS = "deletionVectors"
_CHECKPOINT_PROTECTION = "checkpointProtection"


@dataclass(frozen=True)
class OlderTable:
    """A table of an older schema version. `identifier` is its name in SQL; `opened` opens it as it stands now."""

    spark: SparkSession
    declared: Table
    identifier: str
    opened: Callable[[], DeltaTable]


Step = Callable[[OlderTable], int]
"""Changes a table and returns how many of its files were rewritten. A step is safe to be killed and to be repeated: on
a table that it has changed already, it does nothing.
"""


def stop_new_deletion_vectors(table: OlderTable) -> int:
    """Let Delta write no further deletion vectors, not even for a process of an older release that still runs."""
    name = "delta.enableDeletionVectors"
    if properties(table.spark, table.identifier).get(name, "false") != "false":
        set_properties(table, {name: "false"})
    return 0


def remove_deletion_vectors(table: OlderTable) -> int:
    """Rewrite the partitions that have files with deletion vectors, one commit for each partition.

    `REORG TABLE ... APPLY (PURGE)` is meant for this. In Delta 4.4.0 it fails on a cluster, as its tasks look for a
    Spark session, which executors do not have. Ordering the rows of a partition rewrites all its files as well. Such
    a commit changes no row, so that it is not in the way of writers that only add rows.
    """
    files = _files_with_deletion_vectors(table.opened()).select("partitionValues").collect()
    partitions = sorted({tuple(sorted(file.partitionValues.items())) for file in files})
    if partitions:
        LOGGER.info(
            f"table {table.declared.name!r}: {len(files):,} files have deletion vectors; the {len(partitions):,}"
            " partitions that hold these files are rewritten"
        )
    columns = table.declared.order_by or table.declared.key[:1]
    rewritten = 0
    for partition in partitions:
        optimized = table.opened().optimize().where(_condition(partition)).executeZOrderBy(*columns)
        counted = optimized.select("metrics.numFilesRemoved").first()
        assert counted is not None
        rewritten += counted.numFilesRemoved
    return rewritten


def drop_deletion_vectors(table: OlderTable) -> int:
    """Remove `deletionVectors` from the features that a reader of the table must have.

    This is the last commit of `ALTER TABLE ... DROP FEATURE deletionVectors`, with the checkpoint that follows it.
    The statement itself first runs the REORG that fails on a cluster (see `remove_deletion_vectors`), also where no
    deletion vector is left.

    Raises:
        RuntimeError: a file has a deletion vector.
    """
    log = table.opened()._jdt.deltaLog()
    transaction = log.startTransaction()
    delta = table.spark._jvm.org.apache.spark.sql.delta  # type: ignore[union-attr]
    dropped = delta.TableFeature.featureNameToFeature(_DELETION_VECTORS).get()
    if not transaction.protocol().isFeatureSupported(dropped):
        return 0
    if not _files_with_deletion_vectors(table.opened()).isEmpty():
        raise RuntimeError(
            f"table {table.declared.name!r} got new deletion vectors while it was migrated; stop what writes to it"
            " with an older release of Rollcall, and run `rollcall maintain`"
        )
    # Older versions of the table still need deletion vectors: this keeps writers that do not know them from the log
    # of these versions. Readers need not have it.
    protection = delta.TableFeature.featureNameToFeature(_CHECKPOINT_PROTECTION).get()
    transaction.updateProtocol(transaction.protocol().denormalized().withFeature(protection).removeFeature(dropped))
    protected = delta.CheckpointProtectionTableFeature.metadataWithCheckpointProtection(
        transaction.metadata(), transaction.readVersion() + 1
    )
    transaction.updateMetadata(protected, False)
    operation = getattr(delta, "DeltaOperations$DropTableFeature")(_DELETION_VECTORS, False)
    transaction.commit(table.spark._jvm.PythonUtils.toSeq([]), operation)  # type: ignore[union-attr]
    # A reader that starts here meets none of the earlier commits, which name deletion vectors.
    log.checkpoint()
    return 0


def add_declared_columns(table: OlderTable) -> int:
    """Add the columns that are declared and that the table does not have, each in its place. Old rows have null there.

    Raises:
        ValueError: such a column is declared as not nullable.
    """
    present = set(table.spark.table(table.identifier).columns)
    added = []
    for before, column in zip((None, *table.declared.names), table.declared.columns, strict=False):
        if column.name in present:
            continue
        if not column.nullable:
            raise ValueError(f"{table.declared.name}.{column.name} is new and not nullable; old rows have no value")
        place = "FIRST" if before is None else f"AFTER `{before}`"
        added.append(f"`{column.name}` {column.type} COMMENT {quoted(column.comment)} {place}")
    if added:
        table.spark.sql(f"ALTER TABLE {table.identifier} ADD COLUMNS ({', '.join(added)})")
    return 0


def renew_constraints(table: OlderTable) -> int:
    """Put the declared conditions in the place of others of the same name. Delta reads all rows to check them."""
    held = properties(table.spark, table.identifier)
    for name, condition in table.declared.constraints.items():
        if held.get(f"{_CONSTRAINT}{name}") == condition:
            continue
        table.spark.sql(f"ALTER TABLE {table.identifier} DROP CONSTRAINT IF EXISTS {name}")
        table.spark.sql(f"ALTER TABLE {table.identifier} ADD CONSTRAINT {name} CHECK ({condition})")
    return 0


STEPS: dict[str, tuple[Step, ...]] = {
    "4": (stop_new_deletion_vectors, remove_deletion_vectors, drop_deletion_vectors),
    "5": (add_declared_columns,),
    "6": (renew_constraints,),
    "7": (add_declared_columns,),
    "8": (add_declared_columns,),
    "9": (add_declared_columns,),
    "10": (add_declared_columns, renew_constraints),
}
"""What brings a table of a version to the next version. Older versions than these cannot be migrated."""


def steps_from(version: str) -> Iterator[Step]:
    """The steps that bring a table of a version to the present version, in their order."""
    for passed in range(int(version), int(SCHEMA_VERSION)):
        yield from STEPS[str(passed)]


def properties(spark: SparkSession, identifier: str) -> dict[str, str]:
    """The properties of a table."""
    return {row["key"]: row["value"] for row in spark.sql(f"SHOW TBLPROPERTIES {identifier}").collect()}


def set_properties(table: OlderTable, values: dict[str, str]) -> None:
    """Set properties of a table, in one commit."""
    listed = ", ".join(f"'{name}' = '{value}'" for name, value in values.items())
    table.spark.sql(f"ALTER TABLE {table.identifier} SET TBLPROPERTIES ({listed})")


def _files_with_deletion_vectors(table: DeltaTable) -> DataFrame:
    # Only Delta's own snapshot says which files have one.
    snapshot: Any = table._jdt.deltaLog().startTransaction().snapshot()
    return DataFrame(snapshot.allFiles().toDF(), table._spark).where("deletionVector IS NOT NULL")


def _condition(partition: tuple[tuple[str, str], ...]) -> str:
    return " AND ".join(f"{column} = '{value}'" for column, value in partition)
