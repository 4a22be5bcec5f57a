"""Rollcall's tables, views and functions in a session of one's own:

from jobs.queries.notebook import register

register(spark, "./tables")
spark.sql("SELECT person_id, count(*) FROM sightings GROUP BY person_id")
"""

from pyspark.sql import SparkSession

from jobs.queries.functions import DESCRIBED, names_of
from jobs.run import settings
from jobs.run.context import Context
from jobs.run.log import LOGGER
from schemas.store import Tables
from udfs.errors import InputError


def register(
    spark: SparkSession,
    tables: str | None = None,
    database: str | None = None,
    config: str | None = None,
    changes: tuple[str, ...] = (),
) -> list[str]:
    """Make all names known to a session; returns them. Functions that cannot be had, as there is no gallery yet or a
    model's weights are missing, are left out and said.

    tables, database, config, changes: as --tables, --database, --config and --set of every command.

    Raises:
        InputError: no tables named, or wrong settings.
    """
    context = Context(spark, Tables(spark, tables, database), settings.load(config, changes), job="notebook")
    names = names_of(context)
    found = names.register()
    for name in DESCRIBED:
        try:
            found += names.register(f"SELECT {name}()")
        except InputError as missing:
            LOGGER.warning(f"{name} is left out: {missing}")
    return found
