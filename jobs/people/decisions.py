"""What people say about clusters: kept as it was said, of the faces that were meant."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pyspark.sql import functions as F

from jobs.people.statements import Statement, Statements
from jobs.run import ledger
from jobs.run.context import Context
from schemas.catalog import CLUSTER_DECISIONS, CLUSTER_SAID
from schemas.names import Names
from udfs.arrow import local_frame
from udfs.errors import InputError
from udfs.ids import stable_id

TOGETHER, APART, NAME = CLUSTER_SAID


def statements(context: Context, grouping: str) -> Statements:
    """What was said about faces of a grouping: in it, and by confirming who they are."""
    said = context.tables.read_or_empty("cluster_decisions").where(
        (F.col("grouping") == grouping) & (F.col("decision") != NAME)
    )
    decided = [
        Statement(row.decided_at, row.decision_id, row.decision == TOGETHER, tuple(row.faces), tuple(row.other_faces))
        for row in said.collect()
    ]
    return Statements(tuple(decided + _confirmed(context)))


def _confirmed(context: Context) -> list[Statement]:
    """Faces of which people have confirmed that they show the same registered person."""
    reviewed = Names(context.spark, context.tables).rows("reviewed")
    of_person = (
        reviewed.where(F.col("state").isin("confirmed", "awaits_signature"))
        .groupBy("gallery_name", "person_id")
        .agg(F.sort_array(F.collect_list("face_id")).alias("faces"), F.max("last_reviewed_at").alias("at"))
    )
    return [
        Statement(row.at, stable_id(row.gallery_name, row.person_id), True, tuple(row.faces))
        for row in of_person.collect()
    ]


def decide(
    context: Context,
    grouping: str,
    *,
    merged: Sequence[str],
    split: str | None,
    faces: Sequence[str],
    named: Mapping[str, str],
    reason: str,
    decided_by: str,
) -> dict[str, int]:
    """Keep what somebody says about clusters; returns the counts of the run.

    merged: clusters that are one person. split, faces: a cluster, and the faces of it that are another person's. named:
    names of clusters.

    Raises:
        InputError: a cluster that there is not, a face that is not in it, or nothing that was said.
    """
    asked = [*merged, *([] if split is None else [split]), *named]
    if not asked:
        raise InputError("say what to do: --merge CLUSTER twice, --split CLUSTER with --face, or --name CLUSTER=NAME")
    if not decided_by:
        raise InputError("say who decides: --by NAME")
    if len(set(merged)) == 1:
        raise InputError("--merge takes two clusters or more: repeat it")
    if (split is None) != (not faces):
        raise InputError("--split CLUSTER takes the faces that are another person's: --face ID, which may be repeated")
    members = _members(context, grouping, asked)
    rows: list[dict[str, Any]] = []
    if merged:
        together = sorted(face for cluster in set(merged) for face in members[cluster])
        rows.append({"decision": TOGETHER, "cluster_ids": sorted(set(merged)), "faces": together})
    if split is not None:
        strange = sorted(set(faces) - set(members[split]))
        if strange:
            raise InputError(f"face {strange[0]} is not in cluster {split}; the table cluster_members has its faces")
        rest = sorted(set(members[split]) - set(faces))
        if not rest:
            raise InputError(f"all faces of cluster {split} were named: nothing would be left to part them from")
        rows.append({"decision": APART, "cluster_ids": [split], "faces": sorted(set(faces)), "other_faces": rest})
    rows += [
        {"decision": NAME, "cluster_ids": [cluster], "faces": sorted(members[cluster]), "name": name}
        for cluster, name in named.items()
    ]
    now = datetime.now(UTC)
    with ledger.run(context) as run:
        made = [
            {
                "other_faces": [],
                "name": None,
                **row,
                "decision_id": stable_id("cluster decision", run.run_id, at),
                "grouping": grouping,
                "reason": reason,
                "decided_by": decided_by,
                "decided_at": now,
                "run_id": run.run_id,
            }
            for at, row in enumerate(rows)
        ]
        context.tables.append("cluster_decisions", local_frame(context.spark, made, CLUSTER_DECISIONS.schema))
        run.count("decisions", len(made))
    return run.counts


def _members(context: Context, grouping: str, clusters: Sequence[str]) -> dict[str, list[str]]:
    """The faces of clusters."""
    there = context.tables.read("cluster_members").where(
        (F.col("grouping") == grouping) & F.col("cluster_id").isin(list(clusters))
    )
    found: dict[str, list[str]] = {}
    for row in there.select("cluster_id", "face_id").collect():
        found.setdefault(row.cluster_id, []).append(row.face_id)
    missing = [cluster for cluster in clusters if cluster not in found]
    if missing:
        raise InputError(f"there is no cluster {missing[0]!r} in grouping {grouping!r}; the table clusters has them")
    return found
