"""What statements of SQL may name: the tables, the views over them, and functions.

In a session of one's own, as in a notebook:

    from schemas.names import Names
    from schemas.store import Tables

    Names(spark, Tables(spark, "./tables")).register()
    spark.sql("SELECT * FROM sightings")
"""

import re
from collections.abc import Callable, Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from schemas.catalog import TABLES
from schemas.functions import FUNCTIONS
from schemas.store import Tables
from schemas.views import VIEWS

NAMES = [*TABLES, *VIEWS, *FUNCTIONS]

_NAMES_NOTHING = {"show", "identifier", "execute"}
"""Words of statements that reach tables without their names: SHOW VIEWS, IDENTIFIER('fa' || 'ces')."""


class Names:
    """The names that a session knows, each from when it is first asked for: to open a table costs about as much as to
    ask it.
    """

    def __init__(
        self, spark: SparkSession, tables: Tables, more: Mapping[str, Callable[[], None]] | None = None
    ) -> None:
        """more: functions beside NAMES, which are made known where a statement names them, each time, and how."""
        self._spark = spark
        self._more = dict(more or {})
        self._tables = tables
        self._known: set[str] = set()

    def register(self, statement: str | None = None) -> list[str]:
        """Make known what a statement may name, or all there is: tables as far as they exist, views and functions. They
        are temporary. Returns the names.

        Raises:
            InputError: as of `Tables.exists`.
        """
        asked = NAMES if statement is None else _named_in(statement, [*self._more])
        found = [name for name in asked if name not in TABLES or self._tables.exists(name)]
        for name in found:
            if name not in self._known:
                self._register(name)
                if name not in self._more and self._is_whole(name):
                    self._known.add(name)
        return found

    def publish(self) -> list[str]:
        """Create the views and functions in the schema that the tables are in, for every client of it. Returns the
        names; views over tables that have not been created are left out.
        """
        for name in (
            "reviews",
            "set_asides",
            "cluster_decisions",
        ):  # which nobody may ever fill, and views of what jobs write read as well
            self._tables.create(name)
        places = {name: self._tables.identifier(name) for name in NAMES}
        there = {name for name in TABLES if self._tables.exists(name)}
        published = []
        for name, view in VIEWS.items():
            if there.issuperset(view.reads):
                self._spark.sql(view.create(places))
                there.add(name)
                published.append(name)
        for name, function in FUNCTIONS.items():
            self._spark.sql(function.create(places[name], temporary=False))
            published.append(name)
        return published

    def rows(self, name: str) -> DataFrame:
        """Those of a table or view. A view takes tables that have not been created for empty ones."""
        if name in TABLES:
            return self._tables.read_or_empty(name)
        view = VIEWS[name]
        found = self._spark.sql(view.query, None, **{read: self.rows(read) for read in view.reads})
        return found.select([F.col(c).alias(c, metadata={"comment": said}) for c, said in view.columns.items()])

    def _register(self, name: str) -> None:
        if name in self._more:
            self._more[name]()
        elif name in FUNCTIONS:
            self._spark.sql(FUNCTIONS[name].create(name, temporary=True))
        else:
            self.rows(name).createOrReplaceTempView(name)

    def _is_whole(self, name: str) -> bool:
        """Whether no table is missing, for which a view takes none: it may be there by the next statement."""
        reads = VIEWS[name].reads if name in VIEWS else ()
        return all(self._tables.exists(read) if read in TABLES else self._is_whole(read) for read in reads)


def _named_in(statement: str, more: list[str]) -> list[str]:
    words = {word.lower() for word in re.findall(r"\w+", statement)}
    every = NAMES if words & _NAMES_NOTHING else [name for name in NAMES if name in words]
    return [*every, *[name for name in more if name in words]]
