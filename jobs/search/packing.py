"""Packed galleries: found, checked, made, and swept."""

import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.gallery.snapshot import SamplesDigest, digest_of
from jobs.run import peak_memory
from jobs.run.context import Context
from schemas.catalog import SEEN_PHOTOS
from udfs import artifacts, matching
from udfs.arrow import spark_schema
from udfs.ids import stable_id

if TYPE_CHECKING:
    from udfs.search.packed import Packed

SAMPLES_A_PART = 65_536
"""About: 128 MiB of embeddings at 512 dimensions, and what a task packs at a time."""
KEPT = 24 * 3600.0
"""Seconds that a packed gallery is kept after it was last searched."""


def place(context: Context, table: str = "gallery") -> str:
    """Where the packed samples of a table are kept: in its folder, where Delta looks at no name with a _."""
    return f"{context.tables.location(table)}/_packed"


def digest_of_packed(samples: DataFrame) -> SamplesDigest:
    """The digest of what a packed gallery is made of."""
    return digest_of(samples, "sample_id", "person_id", "embedding_digest")


def pack(context: Context, samples: DataFrame, of: SamplesDigest, table: str = "gallery") -> tuple["Packed", list[str]]:
    """Samples as a packed gallery, and the ways executors search it; made if there is none that is whole.

    samples: person_id, sample_id, embedding, embedding_digest, from a table. of: their digest, as of
    `digest_of_packed`.
    """
    from udfs.search.packed import DESCRIPTION, Packed

    began = time.monotonic()
    uri = f"{place(context, table)}/{stable_id('packed', of.digest)}"
    if not of.samples:
        return Packed(uri, ()), []
    content = artifacts.read(f"{uri}/{DESCRIPTION}")
    packed = Packed.from_json(uri, content) if content is not None else None
    what = "checked"
    paths = None if packed is None else _check(context, packed)
    if packed is None or paths is None:
        packed, paths = _make(context, uri, samples, of.samples)
        what = "packed"
    artifacts.write(f"{uri}/{DESCRIPTION}", packed.to_json())  # also where it stands: it says when it was used
    seconds = time.monotonic() - began
    context.log.info(f"{context.job}: {packed.rows:,} samples {what}, {packed.size / 1e6:,.0f} MB in {seconds:.1f} s")
    return packed, sorted(paths)


def _check(context: Context, packed: "Packed") -> set[str] | None:
    """How executors search the parts; None if one of them is not what was written."""
    numbers = context.spark.range(len(packed.parts)).select(F.col("id").cast("int").alias("part"))
    tasks = min(len(packed.parts), context.spark.sparkContext.defaultParallelism)
    found = (
        numbers.repartitionById(tasks, (F.col("part") % tasks).cast("int"))
        .mapInArrow(matching.check(packed), spark_schema(matching.CHECKED))
        .collect()
    )
    damage = next((row.damage for row in found if row.damage), None)
    if damage is not None:
        context.log.info(f"{context.job}: {damage}; the gallery is packed again")
        return None
    return {row.path for row in found}


def _make(context: Context, uri: str, samples: DataFrame, count: int) -> tuple["Packed", set[str]]:
    from udfs.search.packed import Packed, Part

    edges = _edges(samples) if count > SAMPLES_A_PART else []
    # As many parts are before a person's as begin with that person or an earlier one.
    part = F.size(F.filter(F.array(*map(F.lit, edges)).cast("array<string>"), lambda edge: edge <= F.col("person_id")))
    made = (
        samples.select("person_id", "sample_id", "embedding", part.alias("part"))
        .repartitionById(len(edges) + 1, "part")
        .select("person_id", "sample_id", "embedding")
        .mapInArrow(peak_memory.told(context.spark, matching.pack(uri)), spark_schema(matching.PART))
        .collect()
    )
    rows = [row.asDict() for row in sorted(made, key=lambda row: row.first_person.encode())]
    paths = {row.pop("path") for row in rows}
    return Packed(uri, tuple(Part(**row) for row in rows)), paths


def _edges(samples: DataFrame) -> list[str]:
    """The first persons of all parts but the first, so that parts are of `SAMPLES_A_PART` samples, about."""
    counted = samples.groupBy("person_id").count().toArrow()
    counted = counted.take(pc.sort_indices(counted["person_id"]))
    before = np.cumsum(counted["count"].to_numpy()) - counted["count"].to_numpy()
    part = before // SAMPLES_A_PART
    first = np.flatnonzero(part[1:] != part[:-1]) + 1
    return counted["person_id"].take(first).to_pylist()


def sweep(context: Context, older_than: float) -> list[str]:
    """Remove packed samples that were last searched more than so many seconds ago; returns their names."""
    from udfs.search.packed import DESCRIPTION

    swept = []
    for table in ("gallery", SEEN_PHOTOS.name):
        if context.tables.exists(table):
            root = place(context, table)
            old = sorted(name for name, age in artifacts.ages(root, DESCRIPTION).items() if age > older_than)
            for name in old:
                artifacts.remove(f"{root}/{name}")
            swept += old
    return swept
