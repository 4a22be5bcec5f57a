"""How a gallery differs from one that is packed, so that what did not change need not be packed again."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from udfs import matching
from udfs.arrow import spark_schema

if TYPE_CHECKING:
    from udfs.search.packed import Packed, Part

_SAME = ["person_id", "sample_id", "embedding_digest"]


@dataclass(frozen=True)
class PackedDifference:
    """kept: the parts of the packed gallery, less the rows that are of this gallery no longer. missing: the samples
    that are to be packed, and count: how many. All samples of a person who has changed are missing, as all of a person
    must be in one part.
    """

    kept: tuple["Part", ...]
    missing: DataFrame
    count: int

    @classmethod
    def between(cls, packed: "Packed", samples: DataFrame, largest: float) -> "PackedDifference | None":
        """None where more than this share of the packed rows would be gone, or be packed beside them.

        samples: person_id, sample_id, embedding, embedding_digest; those of the gallery as it is now.
        """
        of_person = (
            rows_of(samples.sparkSession, packed)
            .join(samples.select(*_SAME, F.lit(True).alias("here")), _SAME, "full")
            .groupBy("person_id")
            .agg(
                F.bool_or(F.col("here").isNull() | F.col("part").isNull()).alias("changed"),
                F.count("here").alias("samples"),
                F.collect_list(F.when(F.col("part").isNotNull(), F.struct("part", "row"))).alias("rows"),
            )
        )
        changed = of_person.where("changed").localCheckpoint()
        total = changed.agg(F.sum("samples").alias("missing"), F.sum(F.size("rows")).alias("gone")).first()
        assert total is not None
        missing, gone = total.missing or 0, total.gone or 0
        if max(missing, gone) > largest * packed.rows:
            return None
        by_part = changed.select(F.explode("rows").alias("at")).groupBy("at.part").agg(F.collect_list("at.row"))
        rows = {part: tuple(sorted(of_part)) for part, of_part in by_part.collect()} if gone else {}
        lessened = [replace(part, gone=rows.get(number, ())) for number, part in enumerate(packed.parts)]
        kept = tuple(part for part in lessened if len(part.gone) < part.rows)
        return cls(kept, samples.join(changed.select("person_id"), "person_id", "left_semi"), missing)


def rows_of(spark: SparkSession, packed: "Packed") -> DataFrame:
    """The rows of a packed gallery that nothing is gone of (matching.ROW)."""
    return by_part(spark, packed).mapInArrow(matching.rows(packed), spark_schema(matching.ROW))


def by_part(spark: SparkSession, packed: "Packed") -> DataFrame:
    """(part), the numbers of its parts, spread over the tasks that there are."""
    numbers = spark.range(len(packed.parts)).select(F.col("id").cast("int").alias("part"))
    tasks = min(len(packed.parts), spark.sparkContext.defaultParallelism)
    return numbers.repartitionById(tasks, (F.col("part") % tasks).cast("int"))
