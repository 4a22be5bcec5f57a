"""Samples of a gallery that may not show who they are said to show, and persons who may be one."""

from dataclasses import asdict, dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.decisions.thresholds import review_similarity
from jobs.matching import packing
from jobs.matching.nearest import execution_plan_for, nearest
from jobs.registry.snapshot import GallerySnapshot
from jobs.run import task_resources
from jobs.run.context import Context
from udfs import hygiene
from udfs.arrow import spark_schema

SAMPLES = 5
"""From so many samples of a person on it can be said that one of them is not like the others."""
SHARE = 0.25
"""Of the person's median: below it a sample is not like the others."""

UNLIKE_OWN, NEARER_TO_ANOTHER, MAY_BE_ONE = "unlike_own", "nearer_to_another", "may_be_one_person"


@dataclass(frozen=True)
class Doubt:
    """One thing that somebody should look at.

    doubt: UNLIKE_OWN, of a sample that is not like the others of its person; NEARER_TO_ANOTHER, of one that is more
    like a sample of another person; MAY_BE_ONE, of two persons, by their most similar samples. own: the best similarity
    to another sample of the person (UNLIKE_OWN: the median); None if there is no other. other_similarity: to
    other_person_id.
    """

    doubt: str
    person_id: str
    sample_id: str
    own: float | None
    other_person_id: str | None
    other_similarity: float | None
    said: str
    uri: str


def doubts(context: Context, gallery: GallerySnapshot) -> list[Doubt]:
    """All of them, by kind, then the most striking first.

    Raises:
        InputError: it is not known from which similarity on two persons are looked at.
    """
    review = review_similarity(context, gallery.contract_id, gallery.embedder)
    samples = gallery.samples.select("person_id", "sample_id", "uri", "embedding", "embedding_digest").localCheckpoint()
    rows = (
        samples.select("person_id", "sample_id", "uri")
        .join(_own(samples), "sample_id", "left")
        .join(_others(context, gallery, samples, review), "sample_id", "left")
        .toArrow()
        .to_pylist()
    )
    several = [row for row in rows if (row["samples"] or 0) >= SAMPLES]
    unlike = [_unlike(row) for row in several if row["median"] < SHARE * row["of_person"]]
    nearer = [
        _nearer(row)
        for row in rows
        if row["other"] is not None and row["best"] is not None and row["other"] > row["best"]
    ]
    return [
        *sorted(unlike, key=lambda each: (each.own or 0.0, each.sample_id)),
        *sorted(nearer, key=lambda each: ((each.own or 0.0) - (each.other_similarity or 0.0), each.sample_id)),
        *_may_be_one(rows),
    ]


def _own(samples: DataFrame) -> DataFrame:
    """How each sample resembles the others of its person (hygiene.OWN)."""
    spark = samples.sparkSession
    tasks = 2 * spark.sparkContext.defaultParallelism
    spread = samples.select("person_id", "sample_id", "embedding").repartition(tasks, "person_id")
    profile = task_resources.on_cpus(spark)
    ordered = spread.sortWithinPartitions("person_id", "sample_id")
    return ordered.mapInArrow(hygiene.resemblance, spark_schema(hygiene.OWN), profile=profile)


def _others(context: Context, gallery: GallerySnapshot, samples: DataFrame, review: float) -> DataFrame:
    """sample_id, other_person_id, other: the nearest other person of each sample, from `review` on."""
    packed, _ = packing.pack(context, samples, packing.digest_of_packed(samples))
    plan = execution_plan_for(packed, context.settings.identify.largest_whole)
    none = F.lit(None).cast("array<string>").alias("left_out")
    asked = samples.select(F.col("sample_id").alias("face_id"), "embedding", none)
    # Of the two nearest persons at least one is another: the sample itself is among those that are searched.
    near = nearest(asked, gallery.count, packed, gallery.dimension, 2, review, plan)
    whose = samples.select(F.col("sample_id").alias("face_id"), F.col("person_id").alias("own_person_id"))
    others = near.join(whose, "face_id").where(F.col("person_id") != F.col("own_person_id"))
    nearest_other = F.max_by(F.struct("person_id", "similarity"), F.struct("similarity", -F.col("rank")))
    found = others.groupBy("face_id").agg(nearest_other.alias("other"))
    return found.select(
        F.col("face_id").alias("sample_id"),
        F.col("other.person_id").alias("other_person_id"),
        F.col("other.similarity").alias("other"),
    )


def _unlike(row: dict[str, object]) -> Doubt:
    said = f"median similarity {row['median']:.3f} to the others; those of the person are at {row['of_person']:.3f}"
    return _doubt(UNLIKE_OWN, row, row["median"], said)


def _nearer(row: dict[str, object]) -> Doubt:
    said = f"{row['other']:.3f} to {row['other_person_id']}, {row['best']:.3f} to the nearest of its own"
    return _doubt(NEARER_TO_ANOTHER, row, row["best"], said)


def _may_be_one(rows: list[dict[str, object]]) -> list[Doubt]:
    """Each two persons once, by their most similar samples."""
    found: dict[tuple[str, str], Doubt] = {}
    for row in rows:
        if row["other"] is None:
            continue
        person, other = str(row["person_id"]), str(row["other_person_id"])
        said = f"{row['other']:.3f} alike: {person} and {other}"
        doubt = _doubt(MAY_BE_ONE, row, row["best"], said)
        pair = (min(person, other), max(person, other))
        standing = found.get(pair)
        if standing is None or _rank(doubt) < _rank(standing):
            found[pair] = doubt
    return sorted(found.values(), key=_rank)


def _rank(doubt: Doubt) -> tuple[float, str]:
    return -(doubt.other_similarity or 0.0), doubt.sample_id


def _doubt(kind: str, row: dict[str, object], own: object, said: str) -> Doubt:
    values = {name: row[name] for name in ("person_id", "sample_id", "other_person_id", "uri")}
    return Doubt(doubt=kind, own=own, other_similarity=row["other"], said=said, **values)  # type: ignore[arg-type]


def as_table(found: list[Doubt]) -> tuple[list[str], list[tuple[object, ...]]]:
    """Columns and rows."""
    names = list(Doubt.__dataclass_fields__)
    return names, [tuple(asdict(each).values()) for each in found]
