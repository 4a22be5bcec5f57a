"""The proof of an erasure: every file of the tables and beside them is read, and nothing of it is found."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from jobs.erasure.beside import copies, files_below, others
from jobs.erasure.carrying_out import SHARED, digest_of
from jobs.erasure.needles import Needles
from jobs.run import peak_memory
from jobs.run.context import Context
from jobs.run.erased import keyed
from schemas.catalog import ERASURES, TABLES
from udfs import lake
from udfs.arrow import local_frame, spark_schema
from udfs.errors import InputError
from udfs.traces import READ, TRACE, UNREADABLE, Sought, traces

Array = np.ndarray

_TOLD = 20


@dataclass(frozen=True)
class Proof:
    """files, bytes: that were read. sought: how many values, by kind. found: by file and kind, in how many places;
    files without anything are not named. shared: how many values, by kind, were not looked for, as others have them."""

    erasure_id: str
    kind: str
    who: str
    files: int
    bytes: int
    sought: Mapping[str, int]
    found: Mapping[tuple[str, str], int] = field(default_factory=dict)
    shared: Mapping[str, int] = field(default_factory=dict)

    @property
    def places(self) -> int:
        """In how many places something was found."""
        return sum(self.found.values())


@dataclass(frozen=True)
class Known:
    """What is known in clear of one erasure."""

    erasure_id: str
    needles: Needles


def prove(context: Context, run_id: str, erasure_ids: list[str] | None, known: Known | None = None) -> list[Proof]:
    """Look for what erasures have erased, in every file there is; and note what was found.

    erasure_ids: those that are to be proven; None for all that are finished. known: what of one of them is known in
    clear.

    Raises:
        InputError: nothing was erased yet.
    """
    tables = context.tables
    finished = tables.read("erasures").where("event = 'finished'").dropDuplicates(["erasure_id"]).collect()
    allowed = {row.erasure_id for row in tables.read("erasures").where("event = 'allowed'").collect()}
    asked = [row for row in finished if erasure_ids is None or row.erasure_id in erasure_ids]
    if skipped := [row.erasure_id for row in asked if row.erasure_id in allowed]:
        context.log.warning(
            f"erase: not proven, as some of what was erased has been allowed in again: {', '.join(skipped)}"
        )
        asked = [row for row in asked if row.erasure_id not in allowed]
    if not asked and skipped:
        raise InputError(
            "none of these erasures can be proven any more; erase what was allowed in again, to prove that"
        )
    if not asked:
        raise InputError("there is no finished erasure that could be proven; run `rollcall erase` first")
    ids = [row.erasure_id for row in asked]
    noted = tables.read("erased").where(F.col("erasure_id").isin(*ids)).select("erasure_id", "kind", "hash").collect()
    hashes = {row.hash: (row.erasure_id, row.kind) for row in noted}
    texts, vectors = known.needles.in_clear() if known is not None else ((), ())
    sought = Sought(
        keyed(tables), hashes, known.erasure_id if known is not None else "", texts, vectors, _codes(vectors)
    )
    rows = _searched(context, sought)
    files = {row["uri"]: row["places"] for row in rows if row["kind"] == READ}
    proofs = []
    for row in sorted(asked, key=lambda row: (row.at, row.erasure_id)):
        found = {
            (each["uri"], each["kind"]): each["places"]
            for each in rows
            if each["erasure_id"] == row.erasure_id or each["kind"] == UNREADABLE
        }
        counted = Counter(each.kind for each in noted if each.erasure_id == row.erasure_id)
        # Of each embedding there are two hashes: as it is, and as it is rounded for the search.
        counted["embedding"] //= 2
        sought_of = {kind: count for kind, count in sorted(counted.items()) if count}
        shared = _shared(context, row.erasure_id)
        proof = Proof(row.erasure_id, row.kind, row.who, len(files), sum(files.values()), sought_of, found, shared)
        _note(context, run_id, proof)
        proofs.append(proof)
    return proofs


def _shared(context: Context, erasure_id: str) -> dict[str, int]:
    planned = F.col("event") == "planned"
    rows = context.tables.read("erasures").where((F.col("erasure_id") == erasure_id) & planned).select("counts")
    found: dict[str, int] = {}
    for row in rows.collect():  # of one that was carried on, the first knew most
        for name, count in row.counts.items():
            if name.startswith(SHARED):
                kind = name.removeprefix(SHARED)
                found[kind] = max(count, found.get(kind, 0))
    return found


def _codes(vectors: tuple[Array, ...]) -> tuple[Array, ...]:
    from udfs.search.quantisation import Quantised

    return tuple(Quantised.of(of).codes for of in vectors)


def _searched(context: Context, sought: Sought) -> list[dict[str, Any]]:
    """Every file below the tables, of tables and beside, and what this machine has copied of them."""
    tables = context.tables
    files = [uri for name in TABLES if tables.exists(name) for uri in files_below(tables.location(name))]
    files += [*others(context), *copies()]
    frame = context.spark.createDataFrame(pa.table({"uri": pa.array(files, pa.string())}))
    tasks = min(len(files), 8 * context.spark.sparkContext.defaultParallelism)
    search = peak_memory.told(context.spark, traces(sought))
    return frame.repartition(max(1, tasks)).mapInArrow(search, spark_schema(TRACE)).toArrow().to_pylist()


def _note(context: Context, run_id: str, proof: Proof) -> None:
    counts = {"files": proof.files, "bytes": proof.bytes}
    counts |= {f"sought: {kind}": count for kind, count in proof.sought.items()}
    by_kind: Counter[str] = Counter()
    for (_, kind), places in proof.found.items():
        by_kind[f"found: {kind}"] += places
    row = {
        "erasure_id": proof.erasure_id,
        "event": "verified",
        "kind": proof.kind,
        "who": proof.who,
        "tables": [],
        "counts": {**counts, **by_kind},
        "found": proof.places,
        "digest": digest_of(context, proof.erasure_id),
        "at": datetime.now(UTC),
        "run_id": run_id,
    }
    context.tables.append("erasures", local_frame(context.spark, [row], ERASURES.schema))


def in_words(counts: Mapping[str, int]) -> str:
    """Values by kind."""
    return ", ".join(f"{kind}: {count:,}" for kind, count in sorted(counts.items()))


def told(context: Context, proof: Proof) -> None:
    """Say what a proof has found; never what it is."""
    what = in_words(proof.sought)
    context.log.info(
        f"erase: erasure {proof.erasure_id}: {proof.places:,} traces found in the {proof.files:,} files that were read"
        f" ({proof.bytes / 1e6:,.1f} MB in all); looked for: {what}"
    )
    for (uri, kind), places in sorted(proof.found.items())[:_TOLD]:
        context.log.warning(f"erase: {lake.file_name(uri)} in {uri.rpartition('/')[0]}: {places:,} of kind {kind!r}")
    if any(kind == UNREADABLE for _, kind in proof.found):
        context.log.warning(
            "erase: of files of kind 'unreadable' nobody can tell what they hold. Most are left of killed runs:"
            " `rollcall maintain --retain 0` removes those. Then run `rollcall erase --verify`: what cannot be read"
            " even then is damaged, and must be restored or deleted by hand"
        )
    if len(proof.found) > _TOLD:
        context.log.warning(f"erase: and {len(proof.found) - _TOLD:,} more like these")
