"""Contact sheets of clusters: an overview of those that there are, and the faces of one."""

from datetime import datetime

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.faces import pictures
from jobs.reports import cards
from jobs.reports.sheets import Shown, photos_of, table_of, where_it_comes_from, with_photos
from jobs.run.context import Context
from jobs.run.ledger import utc
from pages import contact_sheet
from pages.contact_sheet import ContactSheet
from pages.report import Headline
from schemas.catalog import UNKNOWN_FACES
from schemas.names import Names
from udfs.arrow import spark_schema
from udfs.errors import InputError
from udfs.means import SUM, means, sums

_PAIRS = 20
"""Pairs of clusters that are listed as those that may be one."""
_LARGE = 112
"""Pixels from which a face is large enough to be shown for its cluster; of these the sharpest is."""


def of_clusters(context: Context, grouping: str, shown: Shown) -> str:
    """The page on the clusters of a grouping, the largest first.

    Raises:
        InputError: there are none.
    """
    clusters = context.tables.read("clusters").where(F.col("grouping") == grouping)
    counted = clusters.agg(F.count("*").alias("clusters"), F.sum("faces").alias("faces")).first()
    if counted is None or not counted.clusters:
        raise InputError(f"there is no grouping {grouping!r}; `rollcall cluster` makes them")
    several = clusters.where("days > 1").count()
    first = clusters.orderBy(F.desc("faces"), "first_face_id").limit(shown.limit).select("cluster_id")
    rows = with_photos(context, _described(context, grouping, first)).orderBy(F.desc("faces"), "cluster_id").collect()
    pairs = _nearest_pairs(context, grouping, [row.cluster_id for row in rows])
    cut = pictures.NONE if shown.blackout else cards.pictures_of(context, rows, photos_of(rows))
    called = {row.cluster_id: row.name or row.cluster_id[:12] for row in rows}
    some = (
        f"The {len(rows):,} largest of {counted.clusters:,} clusters are shown." if counted.clusters > len(rows) else ""
    )
    sheet = ContactSheet(
        title="Who are the unknown?" if grouping == UNKNOWN_FACES else f"Grouping: {grouping}",
        lead="Each card is a group of faces that may be of one person, by its best face. Look before you believe it.",
        headline=[
            Headline("clusters", f"{counted.clusters:,}"),
            Headline("faces", f"{counted.faces:,}"),
            Headline("seen on several days", f"{several:,}"),
        ],
        faces=[cards.of_cluster(row, cut, _nearest_of(row.cluster_id, pairs, called)) for row in rows],
        tables=[
            table_of(
                "May be one",
                ("cluster", "other cluster", "average similarity"),
                [(called[one], called[other], f"{similarity:.3f}") for similarity, one, other in pairs[:_PAIRS]],
            )
        ],
        facts=where_it_comes_from(context),
        grouped_by="size",
        note=some,
        reviewable=False,
        blackout=shown.blackout,
    )
    return contact_sheet.html(sheet, cut.jpeg)


def of_cluster(context: Context, cluster_id: str, shown: Shown) -> str:
    """The page on one cluster: its faces by date, and what became of it.

    Raises:
        InputError: there is no such cluster.
    """
    names = Names(context.spark, context.tables)
    of_it = F.col("cluster_id") == cluster_id
    about = context.tables.read("clusters").where(of_it).first()
    if about is None:
        raise InputError(f"there is no cluster {cluster_id!r}; the table clusters has them")
    faces = names.rows("cluster_faces").where(of_it)
    near = _nearest_persons(context)
    first = faces.orderBy("run_date", "captured_at", "face_id").limit(shown.limit).join(near, "face_id", "left")
    rows = with_photos(context, first).orderBy("run_date", "captured_at", "face_id").collect()
    cut = pictures.NONE if shown.blackout else cards.pictures_of(context, rows, photos_of(rows))
    changes = names.rows("cluster_changes").where(of_it).orderBy("changed_at").collect()
    said = (
        names.rows("cluster_decisions")
        .where(F.array_contains("cluster_ids", cluster_id))
        .orderBy("decided_at")
        .collect()
    )
    some = f"The first {len(rows):,} of {about.faces:,} faces are shown." if about.faces > len(rows) else ""
    sheet = ContactSheet(
        title=f"Cluster: {rows[0].name or cluster_id[:12]}",
        lead="Faces that may be of one person.",
        headline=[
            Headline("faces", f"{about.faces:,}"),
            Headline("images", f"{about.images:,}"),
            Headline("days", f"{about.days:,}"),
        ],
        faces=[cards.of_cluster_face(row, cut) for row in rows],
        tables=[
            table_of(
                "What became of it",
                ("when", "change", "other cluster", "faces before", "faces after"),
                [
                    (_when(row.changed_at), row.change, row.other_cluster_id or "", row.faces_before, row.faces_after)
                    for row in changes
                ],
            ),
            table_of(
                "What people have said",
                ("when", "who", "what", "name", "reason"),
                [(_when(row.decided_at), row.decided_by, row.decision, row.name or "", row.reason) for row in said],
            ),
        ],
        facts=[
            ("cluster", cluster_id),
            ("grouping", about.grouping),
            ("contract", about.contract_id),
            *where_it_comes_from(context),
        ],
        grouped_by="date",
        note=some,
        reviewable=False,
        blackout=shown.blackout,
    )
    return contact_sheet.html(sheet, cut.jpeg)


def _described(context: Context, grouping: str, clusters: DataFrame) -> DataFrame:
    """Clusters, each with its best face, where it was seen, and the registered person that it comes nearest to."""
    faces = Names(context.spark, context.tables).rows("cluster_faces").where(F.col("grouping") == grouping)
    of_face = ("face_id", "image_id", "run_date", "box", "captured_at", "source", "case_id", "uri")
    good = F.struct(F.least("quality.size", F.lit(float(_LARGE))), "quality.sharpness", "face_id")
    near = F.struct("nearest_similarity", "nearest_person_id", "sample_id")
    found = (
        faces.join(F.broadcast(clusters), "cluster_id")
        .join(_nearest_persons(context), "face_id", "left")
        .groupBy("cluster_id")
        .agg(
            F.max("name").alias("name"),
            F.max_by(F.struct(*of_face), good).alias("best"),
            F.count("*").alias("faces"),
            F.count_distinct("image_id").alias("images"),
            F.count_distinct("run_date").alias("days"),
            F.min("run_date").alias("first_run_date"),
            F.max("run_date").alias("last_run_date"),
            F.sort_array(F.collect_set("source")).alias("sources"),
            F.max(F.when(F.col("nearest_person_id").isNotNull(), near)).alias("near"),
        )
    )
    counted = ("cluster_id", "name", "faces", "images", "days", "first_run_date", "last_run_date", "sources")
    return found.select(*counted, "best.*", "near.nearest_person_id", "near.nearest_similarity", "near.sample_id")


def _nearest_persons(context: Context) -> DataFrame:
    """face_id, nearest_person_id, nearest_similarity, sample_id of faces that were compared with a gallery."""
    rows = context.tables.read_or_empty("identifications").where("person_id IS NOT NULL")
    best = F.max(F.struct("similarity", "person_id", "sample_id")).alias("best")
    return (
        rows.groupBy("face_id")
        .agg(best)
        .select(
            "face_id",
            F.col("best.person_id").alias("nearest_person_id"),
            F.col("best.similarity").alias("nearest_similarity"),
            F.col("best.sample_id").alias("sample_id"),
        )
    )


def _nearest_pairs(context: Context, grouping: str, clusters: list[str]) -> list[tuple[float, str, str]]:
    """Pairs of these clusters by the average similarity of their faces, the highest first: of each cluster the nearest
    other one."""
    asked = context.spark.createDataFrame([(cluster,) for cluster in clusters], "cluster_id string")
    members = context.tables.read("cluster_members").where(F.col("grouping") == grouping)
    vectors = (
        members.join(F.broadcast(asked), "cluster_id")
        .join(context.tables.read("faces").select("face_id", "run_date", "embedding"), ["face_id", "run_date"])
        .select(F.col("cluster_id").alias("group"), "embedding")
    )
    mean = means(vectors.mapInArrow(sums, spark_schema(SUM)).toArrow().to_pylist())
    names = sorted(mean)
    if len(names) < 2:
        return []
    of_all = np.array([mean[name] for name in names])
    similarity = of_all @ of_all.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = similarity.argmax(axis=1)
    pairs = {tuple(sorted((one, int(other)))) for one, other in enumerate(nearest)}
    return sorted(((float(similarity[pair]), names[pair[0]], names[pair[1]]) for pair in pairs), reverse=True)


def _nearest_of(cluster: str, pairs: list[tuple[float, str, str]], called: dict[str, str]) -> str:
    for similarity, one, other in pairs:
        if cluster in (one, other):
            return f"nearest cluster: {called[other if cluster == one else one]}, {similarity:.3f} on average"
    return ""


def _when(at: datetime) -> str:
    return f"{utc(at):%Y-%m-%d %H:%M}"
