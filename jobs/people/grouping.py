"""Faces are grouped, and the groups are kept as clusters, whose ids stay as long as most of their faces do."""

from datetime import UTC, datetime

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.decisions.linking import LinkingThreshold, linking_threshold
from jobs.matching.seen import pack_seen
from jobs.people.asked import AskedFaces, contract_in_force, founds_groups
from jobs.people.decisions import statements
from jobs.people.identity import Inheritance, Shared, inherited
from jobs.people.linking import Linking
from jobs.people.neighbours import all_neighbours
from jobs.run import ledger
from jobs.run.context import Context
from jobs.run.ledger import Run
from schemas.catalog import CLUSTER_CHANGES
from schemas.cluster_counts import cluster_counts
from udfs.arrow import local_frame
from udfs.ids import stable_id
from udfs.vision.contract import settings_id

_ATTEMPTS = 3
"""Whatever is found damaged is made again; when it is damaged three times running, something else is wrong."""


def group_faces(context: Context, asked: AskedFaces, false_link_rate: float | None) -> tuple[Run, LinkingThreshold]:
    """Group the faces that are asked for, and bring the tables up to date; returns the run and the threshold.

    Raises:
        InputError: there are no faces; or no threshold can be had.
        RuntimeError: what is packed is damaged each time anew.
    """
    from udfs.search.packed_faces import FacesInScope

    contract_id, embedder = contract_in_force(context)
    for attempt in range(1, _ATTEMPTS + 1):
        packed, rows = pack_seen(context, contract_id)
        seen = FacesInScope.of(packed, None, None, settings_id(context.settings.spec()))
        limits = [(of.run_date, of.settings_id) for of in seen.dates]
        once = F.broadcast(context.spark.createDataFrame(limits, "run_date date, settings_id string"))
        rows = rows.where(F.col("contract_id") == contract_id).join(once, ["run_date", "settings_id"], "left_semi")
        faces = asked.rows(context, rows, founds_groups(context.settings.cluster)).persist()
        count = faces.count()
        threshold = linking_threshold(context, contract_id, embedder, count, false_link_rate)
        with ledger.run(context) as run:
            graph = all_neighbours(context, contract_id, packed, seen, threshold.similarity)
            if graph is not None:
                said = statements(context, asked.grouping)
                linking = Linking(context, asked.grouping, packed, seen, graph, faces, threshold.similarity, said)
                run.digests.update(contract=contract_id, faces=seen.digest, threshold=threshold.source)
                run.count("asked", count)
                _keep(context, run, contract_id, asked.grouping, linking.groups())
                faces.unpersist()
                return run, threshold
            faces.unpersist()
            run.count("damaged", 1)
            if attempt == _ATTEMPTS:
                raise RuntimeError(
                    f"what is packed below {packed.root} was damaged {_ATTEMPTS} times running, and was made anew each"
                    " time; see the log for what was damaged, and test the disk or store below it"
                )
    raise AssertionError


def _keep(context: Context, run: Run, contract_id: str, grouping: str, groups: DataFrame) -> None:
    """Write what has changed since the groups were kept last: what became of clusters first, who is in them last, so
    that the same is found changed again after a kill."""
    for table in ("clusters", "cluster_members", "cluster_changes"):
        context.tables.create(table)
    old = context.tables.read("cluster_members").where(F.col("grouping") == grouping)
    groups = groups.localCheckpoint(eager=False)
    known = old.select("face_id", F.col("cluster_id").alias("cluster_before"))
    shared = (
        groups.join(known, "face_id", "left")
        .groupBy("group", "cluster_before")
        .agg(F.count("*").alias("faces"), F.min("face_id").alias("first"))
        .toArrow()
    )
    before = {row.cluster_id: row["count"] for row in old.groupBy("cluster_id").count().collect()}
    found = inherited(grouping, [Shared(*row.values()) for row in shared.to_pylist()], before)
    named = pa.table({"group": list(found.cluster_of), "cluster_id": list(found.cluster_of.values())},
                     schema=pa.schema([("group", pa.int64()), ("cluster_id", pa.string())]))  # fmt: skip
    members = groups.join(context.spark.createDataFrame(named), "group").select(
        F.lit(grouping).alias("grouping"),
        *("face_id", "cluster_id", "image_id", "run_date"),
        F.lit(contract_id).alias("contract_id"),
        F.lit(run.run_id).alias("run_id"),
    )
    if found.changes:
        members = members.localCheckpoint()
        _note_changes(context, run, grouping, found)
        _keep_clusters(context, run, contract_id, grouping, members, found)
        moved = members.join(old.select("face_id", "cluster_id", "image_id"), ["face_id", "cluster_id"], "left_anti")
        gone = old.join(members, "face_id", "left_anti")
        context.tables.update_and_delete("cluster_members", moved, gone.select("grouping", "face_id"))
    run.count("clusters", len(found.cluster_of))
    for of in found.changes:
        run.count(of.change, 1)


def _note_changes(context: Context, run: Run, grouping: str, found: Inheritance) -> None:
    now = datetime.now(UTC)
    # The same in a run that finds the same changes again, as one was killed before it had written the members.
    since = context.tables.version("cluster_members")
    rows = [
        {
            "change_id": stable_id("change", grouping, of.cluster_id, of.change, of.other or "", since),
            "grouping": grouping,
            "cluster_id": of.cluster_id,
            "change": of.change,
            "other_cluster_id": of.other,
            "faces_before": of.before,
            "faces_after": of.after,
            "changed_at": now,
            "run_id": run.run_id,
        }
        for of in found.changes
    ]
    context.tables.append_new("cluster_changes", local_frame(context.spark, rows, CLUSTER_CHANGES.schema))


def _keep_clusters(
    context: Context, run: Run, contract_id: str, grouping: str, members: DataFrame, found: Inheritance
) -> None:
    changed = [of.cluster_id for of in found.changes]
    asked = context.spark.createDataFrame(pa.table({"cluster_id": pa.array(changed, pa.string())}))
    counted = cluster_counts()
    rows = (
        members.join(asked, "cluster_id", "left_semi")
        .groupBy("cluster_id")
        .agg(*[count.alias(name) for name, count in counted.items()])
        .select(
            F.lit(grouping).alias("grouping"),
            *("cluster_id", *counted),
            F.lit(contract_id).alias("contract_id"),
            F.lit(run.run_id).alias("run_id"),
        )
    )
    gone = [(grouping, of.cluster_id) for of in found.changes if not of.after]
    keys = context.spark.createDataFrame(gone, "grouping string, cluster_id string")
    context.tables.update_and_delete("clusters", rows, keys)
