"""What a job works with, from its start to its end."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.sql import SparkSession

from jobs.run import settings as settings_module
from jobs.run import stopping
from jobs.run.log import LOGGER
from jobs.run.masters import is_one_process
from jobs.run.settings import Settings
from schemas.store import Tables
from udfs.errors import InputError


@dataclass(frozen=True)
class Context:
    """Spark, the tables and the settings; which job this is, with which arguments; and where it says how far it is."""

    spark: SparkSession
    tables: Tables
    settings: Settings
    log: logging.Logger = LOGGER
    job: str = ""
    arguments: Mapping[str, object] = field(default_factory=dict)
    """The arguments of the job by name, those left out with their defaults."""
    erasures_seen: int | None = None
    """What `under_way.erasures_seen` said when the job began; None outside of jobs."""


@contextmanager
def opened(
    job: str,
    *,
    tables: str | None,
    database: str | None = None,
    config: str | None = None,
    changes: tuple[str, ...] = (),
    master: str | None = None,
    short: bool = False,
) -> Iterator[Context]:
    """Open what a job works with, and stop Spark in the end.

    short: the job only asks; see `spark_session`.

    Raises:
        InputError: wrong settings, or no tables named.
    """
    from jobs.run.session import spark_session
    from jobs.run.spark_log import discard_log

    settings = settings_module.load(config, changes)
    if tables is None and database is None:
        raise InputError("say where the tables are: --tables URI or --database NAME")
    spark = spark_session(job, master, short=short)
    try:
        # Executors elsewhere may run as somebody else.
        private = settings.files.private and is_one_process(str(spark.sparkContext.master))
        yield Context(spark, Tables(spark, tables, database, private=private), settings, job=job)
        discard_log()
    finally:
        stopping.settle()
        spark.stop()
