"""What a change of the gallery does to what was found before, without searching for everyone again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.matching.nearest import ranked
from jobs.registry.snapshot import searched

_SAME = ["sample_id", "embedding_digest"]
_FOUND = ("face_id", "person_id", "sample_id", "similarity")

SearchAmong = Callable[[DataFrame, DataFrame], DataFrame]
"""(face_id of faces, sample_id of samples) -> their nearest persons, as `jobs.matching.nearest`."""


@dataclass(frozen=True)
class GalleryChange:
    """added, removed: sample_id and person_id of samples that are searched now and were not before, and the
    other way round; a sample whose embedding is another is both. remaining: those that are searched now."""

    added: DataFrame
    removed: DataFrame
    remaining: DataFrame

    @classmethod
    def between(cls, before: DataFrame, now: DataFrame, run_date: date, labels: Sequence[str]) -> "GalleryChange":
        """before, now: rows of `searched_samples`."""
        was, stands = (
            searched(samples, run_date, labels).select(F.lit(True).alias(side), "person_id", *_SAME)
            for side, samples in (("was", before), ("stands", now))
        )
        # In one pass, and cut loose from the tables: what has changed is asked for several times.
        both = was.join(stands.withColumnRenamed("person_id", "person_now"), _SAME, "full")
        apart = both.where(F.col("was").isNull() | F.col("stands").isNull()).localCheckpoint()
        names = ("sample_id", F.coalesce("person_id", "person_now").alias("person_id"))
        return cls(
            apart.where(F.col("was").isNull()).select(*names),
            apart.where(F.col("stands").isNull()).select(*names),
            stands.select("person_id", *_SAME),
        )


@dataclass(frozen=True)
class Updated:
    """again: face_id of faces that are to be searched for again in the whole gallery. lists: new rows of the
    other faces that are affected, and affected: their face_id."""

    again: DataFrame
    lists: DataFrame
    affected: DataFrame


def update(matches: DataFrame, faces: DataFrame, change: GalleryChange, k: int, search: SearchAmong) -> Updated:
    """The rows of faces after a change of the gallery, given those before.

    A list of fewer than k persons holds everyone at or above the floor; a full one may have kept others out.

    - Removed samples: a full list that held one is searched for again. One that is not full loses the row, and
      the face is compared with the other samples of that person.
    - Added samples are compared with all faces. Whoever they bring into a list was not in it before with a
      nearer sample, and who is in it keeps the nearer one.

    matches: the rows of these faces. faces: face_id of all that were searched for.
    """
    removed = change.removed.select("sample_id", F.lit(True).alias("gone"))
    standing = (
        matches.join(removed, "sample_id", "left")
        .groupBy("face_id")
        .agg(
            (F.count("*") >= k).alias("full"),
            F.min("similarity").alias("least"),
            F.collect_list(F.when(F.col("gone"), F.col("person_id"))).alias("lost"),
        )
        .localCheckpoint()
    )
    held = F.size("lost") > 0
    again = standing.where(held & F.col("full")).select("face_id")
    lost = standing.where(held & ~F.col("full")).select("face_id", F.explode("lost").alias("person_id"))
    kept = (
        matches.join(again, "face_id", "left_anti")
        .join(change.removed.select("sample_id"), "sample_id", "left_anti")
        .select(*_FOUND)
    )
    # Whoever is less similar than the last of a full list changes nothing, and most of those added are.
    least = standing.where(F.col("full")).select("face_id", "least")
    candidates = (
        _of_added(faces, again, change, search)
        .join(least, "face_id", "left")
        .where(F.col("least").isNull() | (F.col("similarity") >= F.col("least")))
        .select(*_FOUND)
    )
    if not lost.isEmpty():
        candidates = candidates.unionByName(_of_lost(lost, change, search))
    candidates = candidates.localCheckpoint()
    affected = lost.select("face_id").union(candidates.select("face_id")).distinct().localCheckpoint()
    lists = ranked(kept.join(affected, "face_id", "left_semi").unionByName(candidates), k)
    return Updated(again, lists, affected)


def _of_added(faces: DataFrame, again: DataFrame, change: GalleryChange, search: SearchAmong) -> DataFrame:
    return search(faces.join(again, "face_id", "left_anti"), change.added.select("sample_id")).select(*_FOUND)


def _of_lost(lost: DataFrame, change: GalleryChange, search: SearchAmong) -> DataFrame:
    """What the other samples of persons who lost one have for the faces whose lists held it."""
    persons = lost.select("person_id").distinct()
    others = change.remaining.join(persons, "person_id", "left_semi").select("sample_id")
    # A face is compared with all of them, and keeps k; only the persons it has lost are taken from those.
    found = search(lost.select("face_id").distinct(), others).select(*_FOUND)
    return found.join(lost, ["face_id", "person_id"], "left_semi")
