"""All faces that were ever seen under a contract, packed beside the table `faces`."""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.matching.packing import KEPT, place
from jobs.registry.snapshot import digests_of
from jobs.run import peak_memory
from jobs.run.context import Context
from schemas.literals import on_dates
from udfs import artifacts, seen
from udfs.arrow import spark_schema
from udfs.ids import stable_id

if TYPE_CHECKING:
    from udfs.search.packed_dates import PackedDate, PackedDates

FACES_A_PART = 65_536
"""About: 128 MiB of embeddings at 512 dimensions, and what a task packs at a time."""


def pack_seen(context: Context, contract_id: str) -> tuple["PackedDates", DataFrame]:
    """The faces of a contract as they are in the table now, packed; and the table as it is now.

    A date whose files are those it was packed from is taken as it is; so is one whose files are others with the same
    faces, after they were joined.

    Raises:
        InputError: there are no faces yet.
    """
    from udfs.search.packed import DESCRIPTION
    from udfs.search.packed_dates import PackedDate, PackedDates

    began = time.monotonic()
    rows, files = context.tables.read_fixed_by_date("faces")
    root, name = place(context, "faces"), stable_id("seen", contract_id)
    noted = PackedDates.from_json(root, name, artifacts.read(f"{root}/{name}/{DESCRIPTION}"))
    before = dict(noted.files)
    if before == files:
        _describe(noted)  # which says when it was last searched
        return noted, rows
    changed = [day for day, digest in files.items() if before.get(day) != digest]
    dates = [of for of in noted.dates if before[of.run_date] == files.get(of.run_date)]
    if changed:
        faces = _as_samples(rows.where((F.col("contract_id") == contract_id) & on_dates(changed)))
        known = {of.key: of for of in noted.dates}
        groups = digests_of(faces.groupBy("run_date", "settings_id"), "sample_id", "embedding_digest")
        there = [PackedDate(day, limits, of.samples, of.digest) for (day, limits), of in groups.items()]
        fresh = [of for of in there if of.key not in known]
        dates += [known[of.key] for of in there if of.key in known] + _pack(context, root, name, faces, fresh)
        context.log.info(
            f"{context.job}: {sum(of.faces for of in fresh):,} faces packed, as the rows of {len(changed):,} dates are"
            f" new; {time.monotonic() - began:.1f} s"
        )
    packed = PackedDates(
        root, name, tuple(sorted(dates, key=lambda of: (of.run_date, of.settings_id))), tuple(sorted(files.items()))
    )
    note(packed)
    return packed, rows


def note(packed: "PackedDates") -> None:
    """Describe what is packed, and remove what older descriptions have left, unless somebody may still read it."""
    from udfs.search.packed import DESCRIPTION

    _describe(packed)
    folder = f"{packed.root}/{packed.name}"
    named = {part.name for part in packed.parts()}
    for part, age in artifacts.ages(folder, DESCRIPTION).items():
        if age > KEPT and f"{packed.name}/{part}" not in named:
            artifacts.remove(f"{folder}/{part}")


def _describe(packed: "PackedDates") -> None:
    from udfs.search.packed import DESCRIPTION

    artifacts.write(f"{packed.root}/{packed.name}/{DESCRIPTION}", packed.to_json())


def by_part(faces: DataFrame, packed: "PackedDates") -> DataFrame:
    """Faces with the number of the part that they are in: in the order of dates and their pieces.

    faces: run_date, settings_id, face_id. Those of dates that are not packed are left out.
    """
    begins = np.cumsum([0, *(len(of.parts) for of in packed.dates)]).tolist()
    return _numbered(faces, [(of, begin, len(of.parts)) for of, begin in zip(packed.dates, begins, strict=False)])


def _numbered(faces: DataFrame, dates: list[tuple["PackedDate", int, int]]) -> DataFrame:
    """dates: with the number of the first of their parts, and how many they have."""
    schema = "run_date date, settings_id string, begin int, pieces int"
    plan = [(of.run_date, of.settings_id, begin, pieces) for of, begin, pieces in dates]
    planned = faces.sparkSession.createDataFrame(plan, schema)
    part = F.col("begin") + _piece(F.col("face_id"), F.col("pieces"))
    return faces.join(F.broadcast(planned), ["run_date", "settings_id"]).withColumn("part", part)


def _piece(face_id: Column, pieces: Column) -> Column:
    return F.pmod(F.xxhash64(face_id), pieces).cast("int")


def _as_samples(faces: DataFrame) -> DataFrame:
    """Faces for digests and packing: each is the only sample of a person."""
    same = [F.col("face_id"), F.col("face_id").alias("person_id"), F.col("face_id").alias("sample_id")]
    return faces.select(
        "run_date", "settings_id", *same, "embedding", F.xxhash64("embedding").alias("embedding_digest")
    )


def _pack(context: Context, root: str, name: str, faces: DataFrame, dates: list["PackedDate"]) -> list["PackedDate"]:
    """The same dates with their parts, all of which one job packs."""
    from udfs.search.packed import Part

    if not dates:
        return []
    pieces = [-(-of.faces // FACES_A_PART) for of in dates]
    begins = np.cumsum([0, *pieces]).tolist()
    columns = ["part", "person_id", "sample_id", "embedding", "embedding_digest"]
    pack = peak_memory.told(context.spark, seen.pack_numbered(root, name))
    made = (
        _numbered(faces, list(zip(dates, begins, pieces, strict=False)))
        .select(*columns)
        .repartitionById(begins[-1], "part")
        .mapInArrow(pack, spark_schema(seen.NUMBERED_PART))
        .drop("path")
        .collect()
    )
    parts: dict[int, Part] = {}
    for row in made:
        number, *values = row
        parts[number] = Part(*values)
    return [
        replace(of, parts=tuple(parts.get(number) for number in range(begin, begin + count)))
        for of, begin, count in zip(dates, begins, pieces, strict=False)
    ]
