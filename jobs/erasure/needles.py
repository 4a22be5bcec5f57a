"""What must be found nowhere once an erasure is done, in clear and by keyed hashes; and what may stay elsewhere."""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.erasure.closure import Closure, frame_of
from jobs.erasure.plan import Plan
from jobs.run.context import Context
from schemas.catalog import ERASED
from udfs.arrow import spark_schema
from udfs.keyed import Keyed
from udfs.keyed_rows import HASH, hash_vectors

Array = np.ndarray

_IN_CLEAR = 300
"""Values up to which each is looked for as bytes as well; of more the hashes are enough, and quicker."""
_WITH_EMBEDDINGS = ("gallery", "seen_photos", "cohorts", "faces", "staged")


@dataclass(frozen=True)
class Needles:
    """texts: values by kind. vectors: frame of `embedding`. shared: how many values are left out, by kind, as they are
    somebody else's as well: an image of the lake that stays, or a copy of it."""

    texts: dict[str, frozenset[str]]
    vectors: DataFrame
    shared: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, context: Context, closure: Closure, plan: Plan) -> "Needles":
        """Of what is about to be erased."""
        of_person = closure.subject.kind == "person"
        texts = {
            "person": frozenset([closure.person] if closure.person is not None and closure.everywhere else []),
            "name": closure.names,
            "sample": closure.samples,
            "face": closure.faces,
            "image": closure.images,
            "lake uri": closure.uris,
        }
        shared = {}
        if of_person:
            texts["image"], shared["image"] = _own(context, plan, closure.photos - closure.images, "image")
            texts["image"] |= closure.images
            texts["uri"], shared["uri"] = _own(context, plan, closure.photo_uris - closure.uris, "uri")
            if not closure.everywhere:
                shared["person"] = 1
        vectors, copies = _own_vectors(context, plan)
        shared["embedding"] = copies
        return cls(texts, vectors, {kind: count for kind, count in shared.items() if count})

    def hashed(self, context: Context, closure: Closure, keyed: Keyed, erasure_id: str, run_id: str) -> DataFrame:
        """Rows of `erased`."""
        rows = [(kind, keyed.text(value)) for kind, values in self.texts.items() for value in values]
        person, gallery = closure.person, closure.subject.gallery_name
        if person is not None and gallery is not None:
            rows = [row for row in rows if row[0] != "person"]
            rows += [("person", keyed.of_gallery(gallery, person))]
            rows += [("name", keyed.text(person))] if closure.everywhere else []
        kinds, hashes = zip(*rows, strict=True) if rows else ((), ())
        table = pa.table({"kind": pa.array(kinds, pa.string()), "hash": pa.array(hashes, pa.string())})
        of_vectors = self.vectors.mapInArrow(hash_vectors(keyed), spark_schema(HASH))
        every = context.spark.createDataFrame(table).unionByName(
            of_vectors.select(F.lit("embedding").alias("kind"), "hash")
        )
        of_all = {"erasure_id": F.lit(erasure_id), "run_id": F.lit(run_id)}
        return every.distinct().withColumns(of_all).select(*ERASED.names)

    def in_clear(self) -> tuple[tuple[tuple[str, str], ...], tuple[Array, ...]]:
        """Texts by kind, and vectors by their widths, as far as they are few."""
        texts = tuple((kind, value) for kind, values in self.texts.items() for value in sorted(values))
        rows = self.vectors.limit(_IN_CLEAR + 1).toArrow()["embedding"].to_pylist()
        by_width: dict[int, list[list[float]]] = {}
        for row in rows if len(rows) <= _IN_CLEAR else []:
            by_width.setdefault(len(row), []).append(row)
        return (
            texts if len(texts) <= _IN_CLEAR else (),
            tuple(np.array(of, np.float32) for _, of in sorted(by_width.items())),
        )


def _own(context: Context, plan: Plan, values: frozenset[str], carried: str) -> tuple[frozenset[str], int]:
    """Those of some values that no row has which stays; and how many others there are."""
    stay = set[str]()
    for table, column in _OTHER_PLACES[carried]:
        if values and context.tables.exists(table):
            rows = plan.staying(context, table).join(
                F.broadcast(frame_of(context, column, values)), column, "left_semi"
            )
            stay |= {row[0] for row in rows.select(column).distinct().collect()}
    return frozenset(values - stay), len(stay)


_OTHER_PLACES = {
    "image": (("images", "image_id"), ("enrollments", "photo_id"), ("seen_photos", "photo_id")),
    "uri": (("images", "uri"), ("enrollments", "uri"), ("gallery", "uri")),
}


def _own_vectors(context: Context, plan: Plan) -> tuple[DataFrame, int]:
    """The embeddings that go and that no row has which stays; and how many others there are."""
    gone, stay = [], []
    for table in _WITH_EMBEDDINGS:
        if not context.tables.exists(table):
            continue
        stay.append(_vectors(plan.staying(context, table), table).select(F.xxhash64("embedding").alias("digest")))
        if plan.of_table(table).gone is not None:
            gone.append(_vectors(plan.going(context, table), table))
    if not gone:
        return context.spark.createDataFrame([], "embedding array<float>"), 0
    every = gone[0]
    for other in gone[1:]:
        every = every.unionByName(other)
    every = every.distinct().withColumn("digest", F.xxhash64("embedding")).localCheckpoint()
    if every.isEmpty():
        return every.select("embedding"), 0
    staying = stay[0]
    for other in stay[1:]:
        staying = staying.unionByName(other)
    copies = staying.join(F.broadcast(every.select("digest")), "digest", "left_semi").distinct()
    own = every.join(copies, "digest", "left_anti").select("embedding").localCheckpoint()
    return own, every.count() - own.count()


def _vectors(rows: DataFrame, table: str) -> DataFrame:
    if table == "staged":
        rows = rows.select(F.explode("faces.embedding").alias("embedding"))
    return rows.where("embedding IS NOT NULL").select(F.col("embedding").cast("array<float>").alias("embedding"))
