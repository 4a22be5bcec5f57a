"""Opens tables by name, and writes them in the few ways the invariants need."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar
from urllib.parse import unquote

from delta import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_incrementing, wait_random

from schemas.catalog import TABLES
from schemas.table import SCHEMA_VERSION, Table
from udfs import lake
from udfs.errors import InputError

T = TypeVar("T")

_ATTEMPTS = 12
_FILE_SIZE = 1 << 30
"""Bytes: Delta joins files to about this."""
# What Delta says when another writer was faster. Reading again and writing again is then right.
_CONFLICT = re.compile(
    r"Concurrent\w*Exception|DELTA_CONCURRENT|ProtocolChangedException|MetadataChangedException"
    r"|DELTA_METADATA_CHANGED|DELTA_PROTOCOL_CHANGED|FileAlreadyExistsException"
)
# Another writer is just creating the table: its folder is there, its first commit not yet, or not yet in what Delta
# remembers of the folder.
_WHILE_CREATED = re.compile(rf"{_CONFLICT.pattern}|DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION|DELTA_TABLE_NOT_FOUND")


@dataclass(frozen=True)
class Files:
    """The files of a table: how many, their bytes, and the most in one partition."""

    count: int
    bytes: int
    most: int


class Tables:
    """The tables below a root URI, or in a catalog schema (`database`); with both, the schema's tables stand
    below the root.

    A table is created, with comments and constraints, by the first write to it. Every write is one Delta
    commit, tried again when another writer was faster.
    """

    def __init__(self, spark: SparkSession, root: str | None, database: str | None = None) -> None:
        if root is None and database is None:
            raise InputError("say where the tables are: --tables URI or --database NAME")
        self._spark = spark
        self.root = None if root is None else _root(root)
        self.database = database
        if database is not None and not spark.catalog.databaseExists(database):
            raise InputError(f"there is no schema {database!r}; create it first: CREATE SCHEMA {database}")
        self._checked: set[str] = set()
        self._locations: dict[str, str] = {}

    @property
    def place(self) -> str:
        """Where the tables are, for a person."""
        return self.database or str(self.root)

    def exists(self, name: str) -> bool:
        """Whether the table has been created.

        Raises:
            InputError: it has, by another schema version, or it is not one of Rollcall's.
        """
        if name in self._checked:
            return True
        if not self._exists(name):
            return False
        self._check_version(name)
        self._checked.add(name)
        return True

    def read(self, name: str) -> DataFrame:
        """The table as it stands.

        Raises:
            InputError: there is no such table yet; the message names the job that writes it.
        """
        if not self.exists(name):
            writer = TABLES[name].written_by.split(" ")[0].rstrip(",;")
            raise InputError(f"{self.place} has no table {name!r} yet; run `rollcall {writer}` first")
        return self._spark.table(self._identifier(name))

    def read_fixed(self, name: str) -> DataFrame:
        """The table as it stands now, whoever writes to it while the frame is used: `read` would follow them.

        Raises:
            InputError: as `read`.
        """
        self.read(name)
        newest = self._delta_table(name).history(1).select("version").first()
        assert newest is not None
        return self._spark.read.option("versionAsOf", newest.version).table(self._identifier(name))

    def read_or_empty(self, name: str) -> DataFrame:
        """The table as it stands, or no rows where it has not been created."""
        return self.read(name) if self.exists(name) else self._spark.createDataFrame([], TABLES[name].schema)

    def append(self, name: str, rows: DataFrame) -> None:
        """Add rows; never conflicts with another writer."""
        self._create(name)
        rows = _shaped(TABLES[name], rows)
        self._retried(lambda: self._append(name, rows))

    def append_new(self, name: str, rows: DataFrame) -> None:
        """Add the rows whose key is not in the table; two writers at once add a row once.

        Raises:
            ValueError: two of the rows have one key, which a mistake of the caller's has made two rows of.
        """
        key = TABLES[name].key
        twice = rows.groupBy(*key).count().where("count > 1").first()
        if twice is not None:
            raise ValueError(f"rows for {name}: {twice['count']} have the key {tuple(twice)[:-1]}; give one")
        table = self._create(name)
        same = " AND ".join(f"t.{column} = s.{column}" for column in key)
        rows = _shaped(TABLES[name], rows)
        self._retried(lambda: table().alias("t").merge(rows.alias("s"), same).whenNotMatchedInsertAll().execute())

    def replace(self, name: str, rows: DataFrame, scope: DataFrame, dates: Iterable[date]) -> None:
        """Delete the rows that agree with a row of `scope` in all its columns, and add `rows`, in one commit.

        All rows must lie in the partitions of `dates`: they are named literally, so that writers of other
        dates are not in each other's way.
        """
        table = self._create(name)
        keys = scope.columns
        shaped = _shaped(TABLES[name], rows)
        # A row of the scope finds the rows to delete; a new row finds none, as its keys are null there.
        gone = scope.distinct().select(
            *[F.col(key).alias(f"_{key}") for key in keys],
            *[F.lit(None).cast(field.dataType).alias(field.name) for field in shaped.schema],
        )
        fresh = shaped.select(
            *[F.lit(None).cast(scope.schema[key].dataType).alias(f"_{key}") for key in keys], *shaped.columns
        )
        found = " AND ".join(f"t.{key} = s._{key}" for key in keys)
        days = ", ".join(f"DATE'{day.isoformat()}'" for day in sorted(set(dates)))
        if not days:
            return
        self._retried(
            lambda: (
                table()
                .alias("t")
                .merge(gone.unionByName(fresh).alias("s"), f"t.run_date IN ({days}) AND {found}")
                .whenMatchedDelete()
                .whenNotMatchedInsert(
                    condition=f"s._{keys[0]} IS NULL",
                    values={column: f"s.{column}" for column in shaped.columns},
                )
                .execute()
            )
        )

    def overwrite(self, name: str, rows: DataFrame, condition: Column) -> None:
        """Replace all rows that fulfil a condition by `rows`, which must fulfil it as well, in one commit."""
        self._create(name)
        rows = _shaped(TABLES[name], rows)
        self._retried(lambda: rows.writeTo(self._identifier(name)).overwrite(condition))

    def update(self, name: str, rows: DataFrame, of_runs: Sequence[str] | None = None) -> None:
        """Replace the rows with the same key, and add those whose key is not in the table.

        of_runs: replace rows alone that these runs have written, and add none: what another writer has changed since
        it was read is left as it is.
        """
        table, key = self._create(name), TABLES[name].key
        same = " AND ".join(f"t.{column} = s.{column}" for column in key)
        rows = _shaped(TABLES[name], rows)

        def merge() -> None:
            merging = table().alias("t").merge(rows.alias("s"), same)
            if of_runs is None:
                merging = merging.whenMatchedUpdateAll().whenNotMatchedInsertAll()
            else:
                merging = merging.whenMatchedUpdateAll(F.col("t.run_id").isin(*of_runs))
            merging.execute()

        self._retried(merge)

    def remove(self, name: str, keys: DataFrame) -> None:
        """Delete the rows that agree with a row of `keys` in all its columns. No value of theirs enters Delta's log."""
        table = self._create(name)
        same = " AND ".join(f"t.{column} = s.{column}" for column in keys.columns)
        self._retried(lambda: table().alias("t").merge(keys.distinct().alias("s"), same).whenMatchedDelete().execute())

    def delete(self, name: str, condition: Column) -> None:
        """Delete the rows that fulfil a condition. Its values are kept in Delta's log: see `remove`."""
        table = self._create(name)
        self._retried(lambda: table().delete(condition))

    def location(self, name: str) -> str:
        """The folder of a table that exists, as a URI as `udfs.lake` has it."""
        if name not in self._locations:
            found = self._delta_table(name).detail().select("location").first()
            assert found is not None
            self._locations[name] = _lake_uri(found.location)
        return self._locations[name]

    def files(self, name: str) -> Files:
        """The files of a table that exists."""
        found = self._by_partition(name).agg(F.sum("files"), F.sum("size"), F.max("files")).first()
        assert found is not None
        return Files(*(value or 0 for value in found))

    def compact(self, name: str) -> None:
        """Join the small files of each partition; in the table's order, where it has one."""
        table = TABLES[name]
        if not table.order_by:
            self._retried(lambda: self._delta_table(name).optimize().executeCompaction())
            return
        # Ordering writes all files anew: only for partitions that have more of them than their size asks for.
        needed = F.ceil(2 * F.col("size") / F.lit(_FILE_SIZE))
        crowded = self._by_partition(name).where(F.col("files") > needed).select("run_date").collect()
        for row in sorted(crowded):
            here = f"run_date = DATE'{row.run_date.isoformat()}'"
            self._retried(
                lambda here=here: self._delta_table(name).optimize().where(here).executeZOrderBy(*table.order_by)  # type: ignore[misc]
            )

    def _by_partition(self, name: str) -> DataFrame:
        partitions = TABLES[name].partition_by
        of_file = F.col("_metadata.file_path").alias("file"), F.col("_metadata.file_size").alias("size")
        files = self.read(name).select(*partitions, *of_file).distinct()
        return files.groupBy(*partitions).agg(F.count("*").alias("files"), F.sum("size").alias("size"))

    def vacuum(self, name: str, hours: float) -> None:
        """Remove files that no version of the last hours needs."""
        check = "spark.databricks.delta.retentionDurationCheck.enabled"
        before = self._spark.conf.get(check, "true")
        self._spark.conf.set(check, "false")
        try:
            self._delta_table(name).vacuum(hours)
        finally:
            self._spark.conf.set(check, str(before))

    def register_views(self) -> list[str]:
        """Make every table that exists a temporary view of its own name; returns the names."""
        names = [name for name in TABLES if self.exists(name)]
        for name in names:
            self.read(name).createOrReplaceTempView(name)
        return names

    # --- what is written -------------------------------------------------------------------------------

    def _append(self, name: str, rows: DataFrame) -> None:
        rows.writeTo(self._identifier(name)).append()

    def _create(self, name: str) -> Callable[[], DeltaTable]:
        if not self.exists(name):
            self._retried(lambda: self._create_now(TABLES[name]), _WHILE_CREATED)
            self._checked.add(name)
        return lambda: self._delta_table(name)

    def _create_now(self, table: Table) -> None:
        builder = DeltaTable.createIfNotExists(self._spark).comment(table.row).addColumns(table.schema)
        if self.database is not None:
            builder = builder.tableName(self._identifier(table.name))
        if self.root is not None:
            builder = builder.location(f"{self.root}/{table.name}")
        if table.partition_by:
            builder = builder.partitionedBy(*table.partition_by)
        for name, value in table.properties.items():
            builder = builder.property(name, value)
        builder.execute()

    def _delta_table(self, name: str) -> DeltaTable:
        if self.database is not None:
            return DeltaTable.forName(self._spark, self._identifier(name))
        return DeltaTable.forPath(self._spark, f"{self.root}/{name}")

    def _identifier(self, name: str) -> str:
        return f"`{self.database}`.`{name}`" if self.database is not None else f"delta.`{self.root}/{name}`"

    def _exists(self, name: str) -> bool:
        if self.database is not None:
            return self._spark.catalog.tableExists(f"{self.database}.{name}")
        return DeltaTable.isDeltaTable(self._spark, f"{self.root}/{name}")

    def _check_version(self, name: str) -> None:
        rows = self._spark.sql(f"SHOW TBLPROPERTIES {self._identifier(name)}").collect()
        found = {row["key"]: row["value"] for row in rows}.get("rollcall.schemaVersion")
        if found is None:
            raise InputError(f"{self.place}: {name!r} is not a Rollcall table; choose another --tables")
        if found != SCHEMA_VERSION:
            raise InputError(
                f"{self.place}: {name!r} was written by schema version {found}, this is version"
                f" {SCHEMA_VERSION}; use the release that wrote it, or another --tables"
            )

    def _retried(self, write: Callable[[], T], passing: re.Pattern[str] = _CONFLICT) -> T:
        """What `write` returns, once nothing that passes is in its way."""

        def is_passing(error: BaseException) -> bool:
            return passing.search(f"{type(error).__name__} {error}") is not None

        return Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_incrementing(start=0.1, increment=0.2, max=2.0) + wait_random(0, 0.4),
            retry=retry_if_exception(is_passing),
            reraise=True,
        )(write)


def spark_path(uri: str) -> str:
    """A percent-encoded URI, as `udfs.lake` has it, as Spark takes it: a plain path on this machine, a URI with
    nothing encoded elsewhere (Hadoop decodes neither), and `s3a` for `s3`, which is what Hadoop calls it.
    """
    path = lake.local_path(uri)
    if path is not None:
        return path.decode("utf-8").rstrip("/")
    scheme, _, rest = unquote(uri).partition("://")
    return f"{'s3a' if scheme == 's3' else scheme}://{rest.rstrip('/')}"


def _lake_uri(location: str) -> str:
    """A location as Delta says it, with nothing encoded, as `udfs.lake` has it: the way back from `spark_path`."""
    scheme, _, path = location.partition(":")
    if scheme == "file":
        return lake.uri_of("/" + path.lstrip("/"))
    return f"{'s3' if scheme == 's3a' else scheme}:{lake.quoted(path)}"


def _root(given: str) -> str:
    """A root as Spark takes it; one that is elsewhere is as it was typed, which is how Hadoop reads it."""
    uri = lake.uri_of(given)
    return given.rstrip("/") if lake.local_path(uri) is None else spark_path(uri)


def _shaped(table: Table, rows: DataFrame) -> DataFrame:
    """The table's columns in their order and type; a column too many or too few is a mistake of the caller."""
    if sorted(rows.columns) != sorted(table.names):
        missing, extra = set(table.names) - set(rows.columns), set(rows.columns) - set(table.names)
        raise ValueError(f"rows for {table.name}: missing {sorted(missing)}, unknown {sorted(extra)}")
    return rows.select(*[F.col(column.name).cast(column.type).alias(column.name) for column in table.columns])
