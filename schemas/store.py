"""Opens tables by name, and writes them in the few ways the invariants need."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, unquote_to_bytes

from delta import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_incrementing, wait_random

from schemas import history, migration
from schemas.catalog import TABLES
from schemas.table import SCHEMA_VERSION, Table
from udfs import lake, private
from udfs.arrow import local_frame
from udfs.errors import InputError

T = TypeVar("T")

_ATTEMPTS = 12
_FILE_SIZE = 1 << 30
"""Bytes: about the size of the files that Delta makes when it joins small ones."""
# What Delta says when another writer was faster. Reading again and writing again is then right.
_CONFLICT = re.compile(
    r"Concurrent\w*Exception|DELTA_CONCURRENT|ProtocolChangedException|MetadataChangedException"
    r"|DELTA_METADATA_CHANGED|DELTA_PROTOCOL_CHANGED|FileAlreadyExistsException"
)
# Another writer is just creating the table: its folder exists, but its first commit does not, or Delta still uses an
# older listing of the folder.
_WHILE_CREATED = re.compile(
    rf"{_CONFLICT.pattern}|DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION|DELTA_TABLE_NOT_FOUND|DELTA_MISSING_DELTA_TABLE"
)
# Another process is just adding the same column.
_WHILE_MIGRATED = re.compile(rf"{_CONFLICT.pattern}|FIELD_ALREADY_EXISTS|FIELDS_ALREADY_EXISTS|COLUMN_ALREADY_EXISTS")


@dataclass(frozen=True)
class Files:
    """The files of a table: how many, their bytes, and the most in one partition."""

    count: int
    bytes: int
    most: int


class Tables:
    """The tables below a root URI, or in a catalog schema (`database`); with both, the schema's tables stand
    below the root.

    The first write to a table creates it, with comments and constraints, or migrates it, if an older release wrote it.
    Every write is one Delta commit. It is tried again when another writer was faster.
    """

    def __init__(
        self, spark: SparkSession, root: str | None, database: str | None = None, *, private: bool = False
    ) -> None:
        """private: whether a local root that is not there yet is made for the user of this process alone."""
        if root is None and database is None:
            raise InputError("say where the tables are: --tables URI or --database NAME")
        self._spark = spark
        self.root = None if root is None else _root(root)
        self.database = database
        self._private = private
        if database is not None and not spark.catalog.databaseExists(_schema(database)):
            raise InputError(f"there is no schema {database!r}; create it first: CREATE SCHEMA {_schema(database)}")
        self._versions: dict[str, str] = {}
        self._locations: dict[str, str] = {}

    @property
    def place(self) -> str:
        """Where the tables are, for a person."""
        return self.database or str(self.root)

    @property
    def root_uri(self) -> str | None:
        """The root as a URI of `udfs.lake`; None where the tables are in a schema alone."""
        if self.root is None:
            return None
        return _lake_uri(self.root) if "://" in self.root else lake.uri_of(self.root)

    def identifier(self, name: str) -> str:
        """The table in SQL."""
        if self.database is not None:
            return f"{_schema(self.database)}.`{name}`"
        return f"delta.{_in_backticks(f'{self.root}/{name}')}"

    def exists(self, name: str) -> bool:
        """Whether the table has been created.

        Raises:
            InputError: there is a table, but this release does not know its schema version, or it is not one of
                Rollcall's.
        """
        if name not in self._versions:
            if not self._exists(name):
                return False
            self._versions[name] = self._known_version(name)
        return True

    def outdated(self) -> dict[str, str]:
        """The tables of an older schema version, by name, with their versions. They can be read as they are; the first
        write to one migrates it.

        Raises:
            InputError: as `exists`.
        """
        return {
            name: self._versions[name]
            for name in TABLES
            if self.exists(name) and self._versions[name] != SCHEMA_VERSION
        }

    def migrate(self, name: str) -> None:
        """Bring a table of an older schema version to the present one, and say so. It may be killed at any time, and
        run in several processes at once: what is left to do is done by the next call.

        Raises:
            InputError: as `exists`.
        """
        found = self._known_version(name)
        if found != SCHEMA_VERSION:
            table = migration.OlderTable(
                self._spark, TABLES[name], self.identifier(name), lambda: self._delta_table(name)
            )
            rewritten = 0
            for step in migration.steps_from(found):
                rewritten += self._retried(lambda step=step: step(table), _WHILE_MIGRATED)  # type: ignore[misc]
            self._retried(lambda: migration.set_properties(table, {migration.VERSION: SCHEMA_VERSION}))
            migration.LOGGER.info(
                f"{self.place}: table {name!r} was migrated from schema version {found} to {SCHEMA_VERSION};"
                f" {rewritten:,} of its files were rewritten"
            )
        self._versions[name] = SCHEMA_VERSION

    def read(self, name: str) -> DataFrame:
        """The table as it stands.

        Raises:
            InputError: there is no such table yet; the message names the job that writes it.
        """
        if not self.exists(name):
            writer = TABLES[name].written_by.split(" ")[0].rstrip(",;")
            first = "run a job" if writer == "every" else f"run `rollcall {writer}`"
            raise InputError(f"{self.place} has no table {name!r} yet; {first} first")
        return _with_declared_columns(TABLES[name], self._spark.table(self.identifier(name)))

    def read_fixed(self, name: str) -> DataFrame:
        """The table as it stands now, also after somebody else has written to it. A frame from `read` changes then.

        Raises:
            InputError: as `read`.
        """
        self.read(name)
        # `history(1)` says it too, by a Spark job that takes a second or, in a JVM that was just started, several.
        return self._at(name, self._delta_table(name)._jdt.deltaLog().startTransaction().readVersion())

    def read_fixed_by_date(self, name: str) -> tuple[DataFrame, dict[date, str]]:
        """The same, and of each run_date a digest of the files that hold its rows. While that is the same, so are they:
        files never change.

        Raises:
            InputError: as `read`.
        """
        self.read(name)
        snapshot = self._delta_table(name)._jdt.deltaLog().startTransaction().snapshot()
        files = DataFrame(snapshot.allFiles().toDF(), self._spark)
        of_date = F.col("partitionValues")["run_date"].cast("date").alias("run_date")
        digest = F.sha2(F.concat_ws(" ", F.array_sort(F.collect_list("path"))), 256)
        found = files.groupBy(of_date).agg(digest).collect()
        return self._at(name, snapshot.version()), {row.run_date: row[1] for row in found}

    def _at(self, name: str, version: int) -> DataFrame:
        fixed = self._spark.read.option("versionAsOf", version).table(self.identifier(name))
        return _with_declared_columns(TABLES[name], fixed)

    def read_or_empty(self, name: str) -> DataFrame:
        """The table as it stands, or no rows where it has not been created."""
        return self.read(name) if self.exists(name) else local_frame(self._spark, [], TABLES[name].schema)

    def create(self, name: str) -> None:
        """Create the table, if it is not there."""
        self._create(name)

    def append(self, name: str, rows: DataFrame) -> None:
        """Add rows; never conflicts with another writer."""
        self._create(name)
        rows = _shaped(TABLES[name], rows)
        self._retried(lambda: self._append(name, rows))

    def append_new(self, name: str, rows: DataFrame) -> None:
        """Add the rows whose key is not in the table; two writers at once add a row once.

        Raises:
            ValueError: two of the rows have the same key, which is a mistake of the caller.
        """
        _refuse_key_twice(name, rows.select(*TABLES[name].key))
        may_be_null = {column.name for column in TABLES[name].columns if column.nullable}
        table, same = self._create(name), _agree(TABLES[name].key, may_be_null)
        rows = _shaped(TABLES[name], rows)
        self._retried(lambda: table().alias("t").merge(rows.alias("s"), same).whenNotMatchedInsertAll().execute())

    def replace(
        self, name: str, rows: DataFrame, scope: DataFrame, dates: Iterable[date], ids: tuple[str, str] | None = None
    ) -> None:
        """Delete the rows that agree with a row of `scope` in all its columns, and add `rows`, in one commit.

        All rows must lie in the partitions of `dates`: they are named literally, so that writers of other
        dates are not in each other's way. ids: text between which each `image_id` of the scope lies, as text is
        ordered. Files that have none between are not read then; the text stays in Delta's log.
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
        if ids is not None:
            found = f"t.image_id BETWEEN '{ids[0]}' AND '{ids[1]}' AND {found}"
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
        self._retried(lambda: rows.writeTo(self.identifier(name)).overwrite(condition))

    def update(self, name: str, rows: DataFrame) -> None:
        """Replace the rows with the same key, and add those whose key is not in the table."""
        may_be_null = {column.name for column in TABLES[name].columns if column.nullable}
        table, same = self._create(name), _agree(TABLES[name].key, may_be_null)
        rows = _shaped(TABLES[name], rows)
        self._retried(
            lambda: (
                table()
                .alias("t")
                .merge(rows.alias("s"), same)
                .whenMatchedUpdateAll()
                .whenNotMatchedInsertAll()
                .execute()
            )
        )

    def update_keeping(self, name: str, rows: DataFrame, column: str, condition: str) -> None:
        """As `update`, but a column keeps its value where a condition on the row `t` that stands and the row `s` in its
        place is fulfilled."""
        may_be_null = {column.name for column in TABLES[name].columns if column.nullable}
        table, same = self._create(name), _agree(TABLES[name].key, may_be_null)
        rows = _shaped(TABLES[name], rows)
        values: dict[str, str | Column] = {each: f"s.{each}" for each in TABLES[name].names}
        kept = {**values, column: f"CASE WHEN {condition} THEN t.{column} ELSE s.{column} END"}
        self._retried(
            lambda: (
                table()
                .alias("t")
                .merge(rows.alias("s"), same)
                .whenMatchedUpdate(set=kept)
                .whenNotMatchedInsert(values=values)
                .execute()
            )
        )

    def update_and_delete(self, name: str, rows: DataFrame, gone: DataFrame) -> None:
        """As `update`, and delete the rows with the keys of `gone`, all in one commit. No key may be in both."""
        table, key = self._create(name), TABLES[name].key
        shaped = _shaped(TABLES[name], rows).withColumn("_gone", F.lit(False))
        deleted = gone.select(
            *[
                F.col(field.name) if field.name in key else F.lit(None).cast(field.dataType).alias(field.name)
                for field in shaped.schema.fields[:-1]
            ],
            F.lit(True).alias("_gone"),
        )
        values: dict[str, str | Column] = {column: f"s.{column}" for column in TABLES[name].names}
        self._retried(
            lambda: (
                table()
                .alias("t")
                .merge(shaped.unionByName(deleted).alias("s"), _agree(key))
                .whenMatchedDelete("s._gone")
                .whenMatchedUpdate(set=values)
                .whenNotMatchedInsert("NOT s._gone", values)
                .execute()
            )
        )

    def exchange(self, name: str, rows: DataFrame) -> int:
        """Put rows in the place of those that were read, unless another writer has changed them meanwhile.

        rows: the table's columns, and `of_run`: the run that wrote the row with the same key as it was read; null if
        there was none. Returns how many of the rows were put.
        """
        table, same = self._create(name), _agree(TABLES[name].key)
        values: dict[str, str | Column] = {column: f"s.{column}" for column in TABLES[name].names}

        def merge() -> int:
            merging = table().alias("t").merge(rows.alias("s"), same)
            merging = merging.whenMatchedUpdate("t.run_id = s.of_run", values)
            (counted,) = merging.whenNotMatchedInsert("s.of_run IS NULL", values).execute().collect()
            return int(counted.num_affected_rows)

        return self._retried(merge)

    def change(self, name: str, rows: DataFrame) -> None:
        """Replace the rows with the same key, null being the same as null; those whose key is not there are left out.
        Delta's log names none of the values."""
        table = self._create(name)
        same = " AND ".join(f"t.{column} <=> s.{column}" for column in TABLES[name].key)
        rows = _shaped(TABLES[name], rows)
        self._retried(lambda: table().alias("t").merge(rows.alias("s"), same).whenMatchedUpdateAll().execute())

    def delete_rows(self, name: str, keys: DataFrame, dates: Iterable[date] | None = None) -> None:
        """Delete the rows that agree with a row of `keys` in all its columns. Delta's log names none of the values.

        dates: the run_date of all these rows, which the log names; files of other dates are not read then.
        """
        table = self._create(name)
        same = _agree(keys.columns)
        if dates is not None:
            days = ", ".join(f"DATE'{day.isoformat()}'" for day in sorted(set(dates)))
            if not days:
                return
            same = f"t.run_date IN ({days}) AND {same}"
        self._retried(lambda: table().alias("t").merge(keys.distinct().alias("s"), same).whenMatchedDelete().execute())

    def delete_where(self, name: str, condition: Column) -> None:
        """Delete the rows that fulfil a condition, whose values stay in Delta's log; those of `delete_rows` do not."""
        table = self._create(name)
        self._retried(lambda: table().delete(condition))

    def location(self, name: str) -> str:
        """The folder of a table that exists, as a URI as `udfs.lake` has it."""
        if self.database is None:
            folder = f"{self.root}/{name}"
            return lake.uri_of(folder) if folder.startswith("/") else _lake_uri(folder)
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
        """Join the small files of each partition; their rows are put in the table's order, if it has one."""
        self._create(name)
        table = TABLES[name]
        if not table.order_by:
            self._retried(lambda: self._delta_table(name).optimize().executeCompaction())
            return
        # Ordering rewrites all files of a partition: done only if it has more files than its size needs.
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
        """Remove the files that no version of the table in the last hours needs."""
        check = "spark.databricks.delta.retentionDurationCheck.enabled"
        before = self._spark.conf.get(check, "true")
        self._spark.conf.set(check, "false")
        try:
            self._delta_table(name).vacuum(hours)
        finally:
            self._spark.conf.set(check, str(before))

    def version(self, name: str) -> int:
        """The number of the last commit to a table that exists."""
        return int(self._delta_table(name)._jdt.deltaLog().startTransaction().readVersion())

    def forget_history(self, name: str, before: datetime) -> None:
        """Leave nothing of a table but its present version: no file of another one, and no log of how it came about.

        before: files that no version names are removed if they were written before this time; a writer may be about to
        commit others.
        """
        history.remove_former_files(self._spark, self._delta_table(name), self.location(name), before)
        history.forget_log(self._spark, self._delta_table(name), self.identifier(name), self.location(name))

    # --- what is written -------------------------------------------------------------------------------

    def _append(self, name: str, rows: DataFrame) -> None:
        rows.writeTo(self.identifier(name)).append()

    def _create(self, name: str) -> Callable[[], DeltaTable]:
        if not self.exists(name):
            self._make_root()
            try:
                self._retried(lambda: self._create_now(TABLES[name]), _WHILE_CREATED)
            except Exception as error:
                if not _WHILE_CREATED.search(str(error)) or not self._removed_half_created(name):
                    raise
                self._create_now(TABLES[name])
            self._versions[name] = SCHEMA_VERSION
        elif self._versions[name] != SCHEMA_VERSION:
            self.migrate(name)
        return lambda: self._delta_table(name)

    def _make_root(self) -> None:
        """Spark would make it for everybody. Who may not enter it sees no table, nor what is packed beside one."""
        if self._private and self.root is not None and self.root.startswith("/"):
            private.make_folder(Path(self.root))

    def _create_now(self, table: Table) -> None:
        builder = DeltaTable.createIfNotExists(self._spark).comment(table.row).addColumns(table.schema)
        if self.database is not None:
            builder = builder.tableName(self.identifier(table.name))
        if self.root is not None:
            builder = builder.location(f"{self.root}/{table.name}")
        if table.partition_by:
            builder = builder.partitionedBy(*table.partition_by)
        for name, value in table.properties.items():
            builder = builder.property(name, value)
        builder.execute()

    def _removed_half_created(self, name: str) -> bool:
        """Remove what was left of a table whose creation ended before its first commit, as when the disk was full:
        Delta takes the folder for a table that is there, and for none. Nothing that anybody could read is lost.
        """
        if self.root is None:
            return False
        hadoop = self._spark.sparkContext
        log = hadoop._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{name}/_delta_log")  # type: ignore[union-attr]
        files = log.getFileSystem(hadoop._jsc.hadoopConfiguration())
        if not files.exists(log):
            return False
        # Before the first commit there are temporary files, which are hidden, and a folder for commits to come.
        names = [each.getPath().getName() for each in files.listStatus(log)]
        if not all(name.startswith(".") or name == "_staged_commits" for name in names):
            return False
        return bool(files.delete(log, True))

    def _delta_table(self, name: str) -> DeltaTable:
        if self.database is not None:
            return DeltaTable.forName(self._spark, self.identifier(name))
        return DeltaTable.forPath(self._spark, f"{self.root}/{name}")

    def _exists(self, name: str) -> bool:
        if self.database is not None:
            return self._spark.catalog.tableExists(self.identifier(name))
        return DeltaTable.isDeltaTable(self._spark, f"{self.root}/{name}")

    def _known_version(self, name: str) -> str:
        found = migration.properties(self._spark, self.identifier(name)).get(migration.VERSION)
        if found is None:
            raise InputError(f"{self.place}: {name!r} is not a Rollcall table; choose another --tables or --database")
        if found == SCHEMA_VERSION or found in migration.STEPS:
            return found
        newer = found.isdigit() and int(found) > int(SCHEMA_VERSION)
        raise InputError(
            f"{self.place}: {name!r} was written by schema version {found}, this is version {SCHEMA_VERSION};"
            f" {'update Rollcall to' if newer else 'use'} the release that wrote it, or choose another --tables or"
            " --database"
        )

    def _retried(self, write: Callable[[], T], passing: re.Pattern[str] = _CONFLICT) -> T:
        """What `write` returns; it is tried again after errors that pass by themselves."""

        def is_passing(error: BaseException) -> bool:
            return passing.search(f"{type(error).__name__} {error}") is not None

        return Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_incrementing(start=0.1, increment=0.2, max=2.0) + wait_random(0, 0.4),
            retry=retry_if_exception(is_passing),
            reraise=True,
        )(write)


def spark_path(uri: str) -> str:
    """A percent-encoded URI of `udfs.lake` in the form that Spark needs: a plain path on this machine, or a URI in
    which nothing is encoded (Hadoop decodes neither). Hadoop's name for `s3` is `s3a`.
    """
    path = lake.local_path(uri)
    if path is not None:
        return path.decode("utf-8").rstrip("/")
    scheme, _, rest = unquote(uri).partition("://")
    return f"{'s3a' if scheme == 's3' else scheme}://{rest.rstrip('/')}"


def _schema(database: str) -> str:
    """A schema in SQL, perhaps with its catalog in front of it: catalog.schema."""
    return ".".join(_in_backticks(part) for part in database.split("."))


def _in_backticks(name: str) -> str:
    """A name in SQL, whatever stands in it."""
    return f"`{name.replace('`', '``')}`"


def _lake_uri(location: str) -> str:
    """A location that Delta names, in which nothing is encoded, as a URI of `udfs.lake`. Undoes `spark_path`."""
    scheme, _, path = location.partition(":")
    if scheme == "file":
        return lake.uri_of("/" + path.lstrip("/"))
    authority, slash, below = path.removeprefix("//").partition("/")
    return f"{'s3' if scheme == 's3a' else scheme}://{authority}{slash}{lake.quoted(below)}"


def _root(given: str) -> str:
    """A root in the form that Spark needs. A root on another machine stays as it was typed: Hadoop reads it so."""
    uri = lake.uri_of(given)
    if "`" in unquote(uri) or not _is_utf8(uri):  # the first Delta's own SQL cannot name, the second Java
        raise InputError(
            f"{given!a}: tables cannot be below a folder with a backtick in its name, or one that is not UTF-8; choose"
            " another --tables"
        )
    return given.rstrip("/") if lake.local_path(uri) is None else spark_path(uri)


def _is_utf8(uri: str) -> bool:
    try:
        unquote_to_bytes(uri).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _with_declared_columns(table: Table, rows: DataFrame) -> DataFrame:
    """The rows of a table that may be of an older version: null in the columns that it does not have yet."""
    if set(table.names) <= set(rows.columns):
        return rows
    null = {column.name: F.lit(None).cast(column.type) for column in table.columns if column.name not in rows.columns}
    return rows.withColumns(null).select(*table.names)


def _agree(columns: Iterable[str], may_be_null: Collection[str] = ()) -> str:
    """Of a row `t` of a table and a row `s`: whether they agree in some columns."""
    return " AND ".join(f"t.{column} {'<=>' if column in may_be_null else '='} s.{column}" for column in columns)


def _refuse_key_twice(name: str, keys: DataFrame) -> None:
    if keys.isLocal():  # these are here already, and counting them takes no job
        twice = next(((key, count) for key, count in Counter(keys.collect()).items() if count > 1), None)
    else:
        row = keys.groupBy(*keys.columns).count().where("count > 1").first()
        twice = None if row is None else (row[:-1], row[-1])
    if twice is not None:
        raise ValueError(f"rows for {name}: {twice[1]} have the key {tuple(twice[0])}; give one row for each key")


def _shaped(table: Table, rows: DataFrame) -> DataFrame:
    """The rows with the table's columns in their order and with their types.

    Raises:
        ValueError: the rows have a column too many or too few, which is a mistake of the caller.
    """
    if sorted(rows.columns) != sorted(table.names):
        missing, extra = set(table.names) - set(rows.columns), set(rows.columns) - set(table.names)
        raise ValueError(
            f"rows for {table.name}: missing {sorted(missing)}, unknown {sorted(extra)};"
            " give all columns of the table and no others"
        )
    # As text: each expression that Python builds asks the JVM three times.
    return rows.selectExpr(*[f"CAST(`{column.name}` AS {column.type}) AS `{column.name}`" for column in table.columns])
