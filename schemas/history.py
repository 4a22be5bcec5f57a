"""A table forgets what it was: the files of all versions but the present one, and the log of how it became so.

What stays is what the protocol of Delta asks for: a checkpoint of the present version, the commit of that version,
which changes nothing but a property, and whatever others have committed since. So every reader opens the table, and
none can go back to before.
"""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from delta import DeltaTable
from pyarrow import fs
from pyspark.sql import DataFrame, SparkSession

from udfs import lake

SINCE = "rollcall.historySince"
"""The property of a table that says since when there are versions to go back to."""
_VERSION = re.compile(r"^\.?(\d{20})\.")
_CHECKPOINT = re.compile(r"^(\d{20})\.checkpoint\.")
_LOG = "_delta_log"


def forget_log(spark: SparkSession, table: DeltaTable, identifier: str, location: str) -> None:
    """Leave nothing in a table's log but its present state. location: a URI as `udfs.lake` has it."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    # The last commit is the one that stays: not one that names files, whose least and greatest ids it has.
    spark.sql(f"ALTER TABLE {identifier} SET TBLPROPERTIES ('{SINCE}' = '{now}')")
    table._jdt.deltaLog().checkpoint()
    store, folder = lake.place(f"{location}/{_LOG}")
    files = _below(store, folder)
    # Somebody may have committed in between, and then it is that version's.
    version = max(int(found.group(1)) for info in files if (found := _CHECKPOINT.match(info.base_name)))
    for info in files:
        named = _VERSION.match(info.base_name)
        # What has no number is of a commit that never was, as of a process that was killed.
        never = named is None and info.base_name.endswith((".tmp", ".tmp.crc"))
        if never or (named is not None and int(named.group(1)) < version):
            store.delete_file(info.path)


def remove_former_files(spark: SparkSession, table: DeltaTable, location: str, before: datetime) -> int:
    """Remove the files that earlier versions were made of, and those that no version has had and that were written
    before a time; returns how many. VACUUM would remove as well what somebody is about to commit.
    """
    snapshot: Any = table._jdt.deltaLog().startTransaction().snapshot()
    present, former = _paths(spark, snapshot)
    store, folder = lake.place(location)
    removed = 0
    for info in _below(store, folder):
        relative = info.path[len(folder.rstrip("/")) + 1 :]
        if relative.startswith("_") or relative in present:
            continue
        bare = _without_checksum(relative)
        if bare in present:
            continue
        written = datetime.fromtimestamp((info.mtime_ns or 0) / 1e9, UTC)
        if bare in former or written < before:
            store.delete_file(info.path)
            removed += 1
    return removed


def _without_checksum(path: str) -> str:
    """The file that a checksum of Hadoop, `.NAME.crc`, is of."""
    folder, slash, name = path.rpartition("/")
    bare = name[1:-4] if name.startswith(".") and name.endswith(".crc") else name
    return f"{folder}{slash}{bare}"


def _paths(spark: SparkSession, snapshot: Any) -> tuple[set[str], set[str]]:
    """The files of a version, and those of earlier ones alone; as the file system has them: the log encodes them once
    more."""
    # In one query of rows: `allFiles` and `tombstones` are two, of objects that are made of them first.
    state = DataFrame(snapshot.stateDF(), spark).select("add.path", "remove.path")
    rows = state.toDF("present", "former").where("present IS NOT NULL OR former IS NOT NULL").collect()
    present = {unquote(row.present) for row in rows if row.present is not None}
    return present, {unquote(row.former) for row in rows if row.former is not None} - present


def _below(store: fs.FileSystem, folder: str) -> list[fs.FileInfo]:
    found = store.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))
    return [info for info in found if info.type == fs.FileType.File]
