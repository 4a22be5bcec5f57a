"""What tests do with jobs and tables."""

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from pyspark.sql import DataFrame, SparkSession

from demo.photos import RUN_DATE
from jobs.run import class_archive, settings
from jobs.run.context import Context
from schemas.catalog import TABLES
from schemas.functions import FUNCTIONS
from schemas.store import Tables
from schemas.views import VIEWS
from udfs.cache import cache

DAYS = (RUN_DATE, "2026-02-01")
"""The dates of the lake that tests share."""

PHOTOS = cache() / "test-photos"
"""Those of the demo, kept for later runs."""

EMBEDDER = "dlib-resnet-v1"
"""The embedder whose weights every machine can fetch: what most tests run with."""

QUICK = {
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
}
"""A query of a few rows takes longer to be compiled than to be interpreted, and to be cut up than to be answered; its
rows are the same."""

WITHOUT_CHECKSUMS = (
    "-Dspark.hadoop.fs.file.impl=org.apache.hadoop.fs.RawLocalFileSystem"
    " -Dspark.hadoop.fs.AbstractFileSystem.file.impl=org.apache.hadoop.fs.local.RawLocalFs"
)
"""An eighth of all time goes into the checksums that Hadoop keeps beside local files, for each of which it starts
programs (chmod, readlink)."""

_CODE = "-XX:ReservedCodeCacheSize=240m"
SHORT_LIVED = f"-XX:TieredStopAtLevel=1 {_CODE}"
"""For JVMs that run one small job: half of the processor time of a cold one goes into compiling better code."""
_LONG_LIVED = f"{_CODE} -Xmn400m"
"""For JVMs that run many: after the first hundred jobs better code has paid, after 600 a fifth of all time is saved."""


@contextmanager
def jvm_of_tests(java_options: str = _LONG_LIVED) -> Iterator[None]:
    """A JVM that this process starts inside runs many small jobs, and keeps no checksums of its files."""
    # Beside the options that a session has of its own.
    os.environ["JDK_JAVA_OPTIONS"] = f"{WITHOUT_CHECKSUMS} {java_options}"
    try:
        yield
    finally:
        del os.environ["JDK_JAVA_OPTIONS"]


@contextmanager
def short_lived_jvm() -> Iterator[None]:
    """The same for a JVM that runs few."""
    # An archive of classes takes longer to make than one start gains by it.
    with jvm_of_tests(SHORT_LIVED), patch.object(class_archive, "_made_once", lambda *_: None):
        yield


def forget_names(spark: SparkSession) -> None:
    """The session knows none of the names of statements any more."""
    for name in [*TABLES, *VIEWS]:
        spark.catalog.dropTempView(name)
    for name in FUNCTIONS:
        spark.sql(f"DROP TEMPORARY FUNCTION IF EXISTS {name}")


VARYING = ("run_id", "enrolled_at", "withdrawn_at")
"""Columns that say when and by whom, and may differ between runs that agree."""


class _Remembering(logging.Handler):
    """Keeps the messages."""

    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self._said = said

    def emit(self, record: logging.LogRecord) -> None:
        self._said.append(record.getMessage())


class MakeContext:
    """Makes contexts with tables of their own, and remembers what their jobs said."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self._spark = spark
        self._folder = folder
        self.said: list[str] = []
        self._log = logging.Logger("tests", logging.INFO)
        self._log.addHandler(_Remembering(self.said))

    def __call__(self, name: str = "tables", *changes: str) -> Context:
        loaded = settings.load(None, (f"vision.embedder={EMBEDDER}", *changes))
        tables = Tables(self._spark, str(self._folder / name))
        return Context(self._spark, tables, loaded, self._log)


def copied(made: MakeContext, context: Context, name: str) -> Context:
    """Tables with the same rows, to be changed. Delta tables name their files relative to themselves."""
    other = made(name)
    shutil.copytree(root_of(context), root_of(other))
    return other


def root_of(context: Context) -> Path:
    return Path(str(context.tables.root))


def rows_of(table: DataFrame, *without: str) -> list[str]:
    """The rows in an order of their own, in full precision, less what may differ between runs."""
    kept = [name for name in table.columns if name not in (*VARYING, *without)]
    return sorted(repr(row) for row in table.select(*sorted(kept)).collect())


def assert_same_tables(left: Context, right: Context, *names: str) -> None:
    for name in names:
        assert rows_of(left.tables.read(name)) == rows_of(right.tables.read(name)), name


def put_out_of_reach(folder: Path) -> None:
    """Nest folders so deeply that their paths are longer than a path may be: nobody can list them, root included."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("x" * 200, dir_fd=here)
        below = os.open("x" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def as_nobody(function: Callable[[], object]) -> str:
    """What a function returns when it runs without root's rights, as text."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            os.write(write_end, str(function()).encode())
        finally:
            os._exit(0)
    os.close(write_end)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        return pipe.read().decode()
