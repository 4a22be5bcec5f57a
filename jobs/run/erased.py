"""What was erased stays erased: what is taken in is compared with it by keyed hashes, where anything was erased."""

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.run.context import Context
from schemas.catalog import ERASURES
from schemas.store import Tables
from udfs import artifacts, lake
from udfs.arrow import local_frame, spark_schema
from udfs.errors import InputError
from udfs.keyed import KEY_BYTES, Keyed
from udfs.keyed_rows import HASHED_URI, hash_uris

LAKE_URI, PERSON = "lake uri", "person"


def key_place(tables: Tables) -> str:
    """Where the key of the hashes is: in the folder of `erasures`, where Delta looks at no name with a _."""
    return f"{tables.location('erasures')}/_key"


def keyed(tables: Tables) -> Keyed:
    """The hashes under the key of these tables.

    Raises:
        InputError: there is no key, or this user may not read it.
    """
    place = key_place(tables)
    try:
        key = artifacts.read(place)
    except PermissionError as error:
        raise InputError(
            f"{place}: this user may not read the key of erasures, without which what was erased could come back; run"
            " this as the user who erased, or let this user read it"
        ) from error
    if key is None or len(key) != KEY_BYTES:
        raise InputError(
            f"{place}: the key of erasures is missing or damaged, so that nobody can tell what was erased; bring it"
            " back from a backup"
        )
    return Keyed(key)


def keyed_from_now_on(tables: Tables) -> Keyed:
    """The same; the key is made if there is none yet. Only its owner may read it."""
    tables.create("erasures")
    tables.create("erased")
    place = key_place(tables)
    key = artifacts.read(place)
    if key is None or len(key) != KEY_BYTES:
        if not tables.read("erased").isEmpty():
            return keyed(tables)  # which says that it is missing
        _make_key(place)
    return keyed(tables)


def _make_key(place: str) -> None:
    local = lake.local_path(place)
    if local is None:
        artifacts.write(place, secrets.token_bytes(KEY_BYTES))
        return
    path = Path(os.fsdecode(local))
    partial = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
    try:
        path.hardlink_to(partial)  # of two that make one at once the first counts
    except FileExistsError:
        pass
    finally:
        partial.unlink()


def hashes(tables: Tables, kind: str) -> DataFrame:
    """`hash` of what was erased of a kind; no rows where nothing ever was."""
    return tables.read_or_empty("erased").where(F.col("kind") == kind).select("hash").distinct()


def any_erased(tables: Tables, kind: str) -> bool:
    """Whether something of a kind was erased; where nothing was, nothing needs to be hashed."""
    return tables.exists("erased") and not hashes(tables, kind).isEmpty()


def erased_uris(context: Context, uris: DataFrame) -> DataFrame:
    """uri of those images that were erased; `hash` beside. uris: `uri`. Only if `any_erased`."""
    hashed = uris.select("uri").distinct().mapInArrow(hash_uris(keyed(context.tables)), spark_schema(HASHED_URI))
    return hashed.join(hashes(context.tables, LAKE_URI), "hash", "left_semi")


def erased_among(context: Context, uris: set[str]) -> set[str]:
    """Which of some URIs, few enough for this process, are of images that were erased."""
    if not uris or not any_erased(context.tables, LAKE_URI):
        return set()
    by, known = keyed(context.tables), {row.hash for row in hashes(context.tables, LAKE_URI).collect()}
    return {uri for uri in uris if by.text(uri) in known}


def erased_persons(context: Context, gallery_name: str, persons: set[str]) -> dict[str, list[str]]:
    """Which of some persons were erased, in this gallery or in all, with the hashes that say so."""
    if not persons or not any_erased(context.tables, PERSON):
        return {}
    by = keyed(context.tables)
    known = {row.hash for row in hashes(context.tables, PERSON).collect()}
    found = {person: [by.text(person), by.of_gallery(gallery_name, person)] for person in persons}
    return {person: said for person, of in found.items() if (said := [each for each in of if each in known])}


def allow_again(context: Context, run_id: str, kind: str, gone: DataFrame) -> None:
    """Note that something that was erased may be taken in again, and forget that it was erased.

    gone: `hash`, of values of the kind.
    """
    tables = context.tables
    rows = tables.read("erased").join(gone, "hash", "left_semi").where(F.col("kind") == kind)
    rows = rows.select("erasure_id", "kind", "hash").localCheckpoint()
    counted = {row.erasure_id: row["count"] for row in rows.groupBy("erasure_id").count().collect()}
    begun = tables.read("erasures").where("event = 'begun'").dropDuplicates(["erasure_id"]).collect()
    notes = [
        {
            **row.asDict(),
            "event": "allowed",
            "tables": [],
            "counts": {kind: counted[row.erasure_id]},
            "at": datetime.now(UTC),
            "run_id": run_id,
        }
        for row in begun
        if row.erasure_id in counted
    ]
    if notes:
        tables.append("erasures", local_frame(context.spark, notes, ERASURES.schema))
    tables.delete_rows("erased", rows)
