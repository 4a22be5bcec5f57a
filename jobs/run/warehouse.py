"""Where Spark's own catalog has its folder: not in the folder that a command is called from, as Spark has it."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

FOLDER = "spark.sql.warehouse.dir"
_CATALOG = "spark.sql.catalogImplementation"

_made: list[Path] = []
"""The one folder of this process, once there is one."""


def properties(given: Mapping[str, str]) -> dict[str, str]:
    """The property that a session needs beside those it is given: none where they say where tables of a catalog are.

    Without a metastore the catalog is gone with the session, and so is the folder. A metastore (`hive`) would remember
    the folder, so there it stays the user's to choose.
    """
    if FOLDER in given or given.get(_CATALOG) == "hive":
        return {}
    return {FOLDER: _temporary().as_uri()}


def _temporary() -> Path:
    if not _made:
        _made.append(Path(tempfile.mkdtemp(prefix="rollcall-warehouse-")))
        atexit.register(_remove)
    return _made[0]


def _remove() -> None:
    """At the end of the process, when the JVM may just be removing it as well."""
    shutil.rmtree(_made.pop(), ignore_errors=True)
