"""All faces that were ever seen under a contract, packed beside the table `faces`."""

import time
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
    from udfs.search.packed_faces import DateOfFaces, Pack, PackedFaces

FACES_A_PART = 65_536
"""About: 128 MiB of embeddings at 512 dimensions, and what a task packs at a time."""


def pack_seen(context: Context, contract_id: str) -> tuple["PackedFaces", DataFrame]:
    """The faces of a contract as they are in the table now, packed; and the table as it is now.

    A date whose files are those it was packed from is taken as it is; so is one whose files are others with the same
    faces, after they were joined.

    Raises:
        InputError: there are no faces yet.
    """
    from udfs.search.packed import DESCRIPTION
    from udfs.search.packed_faces import DateOfFaces, PackedFaces, arranged

    began = time.monotonic()
    rows, files = context.tables.read_fixed_by_date("faces")
    root, name = place(context, "faces"), stable_id("seen", contract_id)
    noted = PackedFaces.from_json(root, name, artifacts.read(f"{root}/{name}/{DESCRIPTION}"))
    before = dict(noted.files)
    if before == files:
        _describe(noted)  # which says when it was last searched
        return noted, rows
    changed = [day for day, digest in files.items() if before.get(day) != digest]
    now = {of for of in noted.dates if of.run_date in files and of.run_date not in changed}
    of_contract = F.col("contract_id") == contract_id
    if changed:
        faces = _as_samples(rows.where(of_contract & on_dates(changed)))
        groups = digests_of(faces.groupBy("run_date", "settings_id"), "sample_id", "embedding_digest")
        now |= {DateOfFaces(day, limits, of.samples, of.digest) for (day, limits), of in groups.items()}
    packs = [pack for pack in noted.packs if now.issuperset(pack.dates)]
    fresh = now.difference(of for pack in packs for of in pack.dates)
    packs, together = arranged(packs, fresh, FACES_A_PART)
    if together:
        days = {of.run_date for dates in together for of in dates}
        packs += _pack(context, root, name, _as_samples(rows.where(of_contract & on_dates(days))), together)
        packed_now = sum(of.faces for dates in together for of in dates)
        context.log.info(
            f"{context.job}: {packed_now:,} faces packed, as the rows of {len(changed):,} dates are new;"
            f" {time.monotonic() - began:.1f} s"
        )
    packs.sort(key=lambda pack: (pack.dates[0].run_date, pack.dates[0].settings_id))
    packed = PackedFaces(root, name, tuple(packs), tuple(sorted(files.items())))
    note(packed)
    return packed, rows


def note(packed: "PackedFaces") -> None:
    """Describe what is packed, and remove what older descriptions have left, unless somebody may still read it."""
    from udfs.search.packed import DESCRIPTION

    _describe(packed)
    folder = f"{packed.root}/{packed.name}"
    named = {part.name for part in packed.parts()}
    for part, age in artifacts.ages(folder, DESCRIPTION).items():
        if age > KEPT and f"{packed.name}/{part}" not in named:
            artifacts.remove(f"{folder}/{part}")


def _describe(packed: "PackedFaces") -> None:
    from udfs.search.packed import DESCRIPTION

    artifacts.write(f"{packed.root}/{packed.name}/{DESCRIPTION}", packed.to_json())


def by_part(faces: DataFrame, packed: "PackedFaces") -> DataFrame:
    """Faces with the number of the part that they are in; the numbers go through the packs in their order.

    faces: run_date, settings_id, face_id. Those of dates that are not packed are left out.
    """
    return _numbered(faces, [(pack.dates, len(pack.parts)) for pack in packed.packs])


def _numbered(faces: DataFrame, packs: list[tuple[tuple["DateOfFaces", ...], int]]) -> DataFrame:
    """packs: their dates, and how many parts each has."""
    begins = np.cumsum([0, *(pieces for _, pieces in packs)]).tolist()
    plan = [
        (of.run_date, of.settings_id, begin, pieces)
        for (dates, pieces), begin in zip(packs, begins, strict=False)
        for of in dates
    ]
    planned = faces.sparkSession.createDataFrame(plan, "run_date date, settings_id string, begin int, pieces int")
    part = F.col("begin") + _piece(F.col("face_id"), F.col("pieces"))
    return faces.join(F.broadcast(planned), ["run_date", "settings_id"]).withColumn("part", part)


def _piece(face_id: Column, pieces: Column) -> Column:
    return F.pmod(F.xxhash64(face_id), pieces).cast("int")


def _as_samples(faces: DataFrame) -> DataFrame:
    """Faces for digests and packing: each is the only sample of a person."""
    same = [F.col("face_id"), F.col("face_id").alias("person_id"), F.col("face_id").alias("sample_id")]
    return faces.select(
        "run_date", "settings_id", "image_id", *same, "embedding", F.xxhash64("embedding").alias("embedding_digest")
    )


def _pack(
    context: Context, root: str, name: str, faces: DataFrame, together: list[tuple["DateOfFaces", ...]]
) -> list["Pack"]:
    """The faces of some dates, each packed together with those it is to be; all by one job."""
    from udfs.search.packed import Part
    from udfs.search.packed_faces import Pack

    pieces = [-(-sum(of.faces for of in dates) // FACES_A_PART) for dates in together]
    begins = np.cumsum([0, *pieces]).tolist()
    columns = ["part", "run_date", "image_id", "person_id", "sample_id", "embedding", "embedding_digest"]
    pack = peak_memory.told(context.spark, seen.pack_numbered(root, name))
    made = (
        _numbered(faces, list(zip(together, pieces, strict=True)))
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
        Pack(dates, tuple(parts.get(number) for number in range(begin, begin + count)))
        for dates, begin, count in zip(together, begins, pieces, strict=False)
    ]
