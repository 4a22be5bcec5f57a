"""What becomes of clusters, and of what was said of them, that lose faces."""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, GroupedData
from pyspark.sql import functions as F

from schemas.cluster_counts import cluster_counts

_OF_CLUSTER = ["grouping", "cluster_id"]


@dataclass(frozen=True)
class LeftOfClusters:
    """concerned: grouping and cluster_id of the clusters that lose a face. left: the members that stay, of all."""

    concerned: DataFrame
    left: DataFrame

    @classmethod
    def of(cls, members: DataFrame, gone: DataFrame) -> "LeftOfClusters":
        """members: rows of `cluster_members`; gone: those of them that go."""
        left = members.join(gone.select("grouping", "face_id"), ["grouping", "face_id"], "left_anti")
        return cls(gone.select(*_OF_CLUSTER).distinct(), left)

    def clusters(self, rows: DataFrame) -> tuple[DataFrame, DataFrame]:
        """Of rows of `clusters` those that go, as nothing is left of them, and those that go on, counted anew."""
        counted = cluster_counts()
        now = self._members().agg(*[count.alias(f"_{name}") for name, count in counted.items()])
        mine = rows.join(self.concerned, _OF_CLUSTER, "left_semi").join(now, _OF_CLUSTER, "left")
        changed = mine.where("_faces IS NOT NULL").withColumns({name: F.col(f"_{name}") for name in counted})
        return mine.where("_faces IS NULL").select(*rows.columns), changed.select(*rows.columns)

    def changes(self, rows: DataFrame) -> tuple[DataFrame, DataFrame]:
        """Of rows of `cluster_changes` those that go, of clusters of which nothing is left; and those that change: that
        name such a one, or are the last of a cluster that goes on, and say how many faces it has."""
        emptied = self.concerned.join(self.left.select(*_OF_CLUSTER).distinct(), _OF_CLUSTER, "left_anti")
        doomed = rows.join(emptied, _OF_CLUSTER, "left_semi").select(*rows.columns)
        of_other = emptied.select(
            "grouping", F.col("cluster_id").alias("other_cluster_id"), F.lit(True).alias("_emptied")
        )
        last = rows.groupBy(*_OF_CLUSTER).agg(
            F.max_by("change_id", F.struct("changed_at", "change_id")).alias("change_id")
        )
        counted = last.join(self._members().agg(F.count("*").alias("_faces")), _OF_CLUSTER)
        changed = (
            rows.join(of_other, ["grouping", "other_cluster_id"], "left")
            .join(counted, [*_OF_CLUSTER, "change_id"], "left")
            .where("_emptied OR _faces IS NOT NULL")
            .withColumns(
                {
                    "other_cluster_id": F.when(F.col("_emptied").isNull(), F.col("other_cluster_id")),
                    "faces_after": F.coalesce("_faces", "faces_after").cast(rows.schema["faces_after"].dataType),
                }
            )
        )
        return doomed, changed.select(*rows.columns)

    def _members(self) -> GroupedData:
        """What is left of the clusters that go on, by cluster."""
        return self.left.join(self.concerned, _OF_CLUSTER, "left_semi").groupBy(*_OF_CLUSTER)


def decisions_without(rows: DataFrame, faces: frozenset[str]) -> tuple[DataFrame, DataFrame]:
    """Of rows of `cluster_decisions` those of which nothing is left without some faces, and those that go on without
    them."""
    without = F.udf(lambda said: [face for face in said if face not in faces], "array<string>")
    fewer = rows.withColumns({"_faces": without("faces"), "_other_faces": without("other_faces")})
    fewer = fewer.where((F.size("_faces") < F.size("faces")) | (F.size("_other_faces") < F.size("other_faces")))
    least: Column = F.when(F.col("decision") == "together", F.lit(2)).otherwise(F.lit(1))
    empty = (F.size("_faces") < least) | ((F.col("decision") == "apart") & (F.size("_other_faces") == 0))
    changed = fewer.where(~empty).withColumns({"faces": F.col("_faces"), "other_faces": F.col("_other_faces")})
    return fewer.where(empty).select(*rows.columns), changed.select(*rows.columns)
