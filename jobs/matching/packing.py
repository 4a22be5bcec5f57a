"""Packed galleries: found, checked, made, and swept."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.matching.packed_difference import PackedDifference, by_part
from jobs.registry.snapshot import SamplesDigest, digest_of
from jobs.run import peak_memory
from jobs.run.context import Context
from schemas.catalog import SEEN_PHOTOS
from udfs import artifacts, matching
from udfs.arrow import spark_schema
from udfs.ids import stable_id

if TYPE_CHECKING:
    from udfs.search.packed import Packed, Part

SAMPLES_A_PART = 65_536
"""About: 128 MiB of embeddings at 512 dimensions, and what a task packs at a time."""
LARGEST_CHANGE = 0.1
"""The share of a packed gallery that may be gone, or packed beside it, before it is packed again."""
KEPT = 36 * 3600.0
"""Seconds that a packed gallery is kept after it was last searched: one of each night is there in the next, though that
be later."""


def place(context: Context, table: str = "gallery") -> str:
    """Where the packed samples of a table are kept: in its folder, where Delta looks at no name with a _."""
    return f"{context.tables.location(table)}/_packed"


def digest_of_packed(samples: DataFrame) -> SamplesDigest:
    """The digest of what a packed gallery is made of."""
    return digest_of(samples, "sample_id", "person_id", "embedding_digest")


def pack(
    context: Context,
    samples: DataFrame,
    of: SamplesDigest,
    table: str = "gallery",
    scope: str | None = None,
    *,
    few: bool = False,
) -> tuple["Packed", list[str]]:
    """Samples as a packed gallery, and the ways executors search it; made if there is none that is whole.

    samples: person_id, sample_id, embedding, embedding_digest, from a table; with a scope, or if they are few,
    enrolled_at as well. of: their digest, as of `digest_of_packed`. scope: what they are the samples of. Where most of
    them were packed under the same scope before, the others are packed beside; without one they are always packed as a
    whole. few: whether the table has many more, which are not to be read for them.
    """
    from udfs.search.packed import Packed

    began = time.monotonic()
    root = place(context, table)
    name = stable_id("packed", of.digest, *([] if scope is None else [scope]))
    if not of.samples:
        return Packed(root, name, (), scope), []
    packed, paths, what = (
        _found(context, root, name)
        or _extended(context, root, name, samples, scope)
        or _made(context, root, name, samples, of, scope, few)
    )
    _note(packed)
    seconds = time.monotonic() - began
    context.log.info(f"{context.job}: {packed.rows:,} samples {what}, {packed.size / 1e6:,.0f} MB in {seconds:.1f} s")
    return packed, sorted(paths)


def without_earlier(samples: DataFrame) -> DataFrame:
    """Some of a gallery's samples, by when the first of them was enrolled: what was enrolled before, which is mostly
    all, lies in other parts of the files, and its embeddings are not read."""
    first = samples.agg(F.unix_micros(F.min("enrolled_at"))).first()
    assert first is not None
    return samples if first[0] is None else samples.where(F.col("enrolled_at") >= F.timestamp_micros(F.lit(first[0])))


_Ready = tuple["Packed", set[str], str]
"""A packed gallery whose files are as they were written, how executors search it, and what was done for that."""


def _found(context: Context, root: str, name: str) -> _Ready | None:
    """The packed gallery of this name, if there is one that is whole."""
    packed = _described(root, name)
    paths = None if packed is None else _check(context, packed)
    return None if packed is None or paths is None else (packed, paths, "checked")


def _extended(context: Context, root: str, name: str, samples: DataFrame, scope: str | None) -> _Ready | None:
    """The gallery as what is packed of it and a part beside, if little has changed since that was packed."""
    from udfs.search.packed import Packed

    base = None if scope is None else _base(root, scope)
    if base is None or base.rows <= SAMPLES_A_PART:  # fewer are packed again as quickly
        return None
    paths = _check(context, base)
    difference = None if paths is None else PackedDifference.between(base, samples, LARGEST_CHANGE)
    if paths is None or difference is None:
        return None
    added: list[Part] = []
    if difference.count:
        added, added_paths = _make(context, root, name, without_earlier(difference.missing), difference.count)
        paths |= added_paths
    packed = Packed(root, name, (*difference.kept, *added), scope)
    return packed, paths, f"packed, {difference.count:,} of them now"


def _made(
    context: Context, root: str, name: str, samples: DataFrame, of: SamplesDigest, scope: str | None, few: bool
) -> _Ready:
    from udfs.search.packed import Packed

    parts, paths = _make(context, root, name, without_earlier(samples) if few else samples, of.samples)
    return Packed(root, name, tuple(parts), scope), paths, "packed"


def _base(root: str, scope: str) -> "Packed | None":
    """Of the galleries that were packed as a whole under this scope the one that was used last."""
    from udfs.search.packed import DESCRIPTION

    names = artifacts.ages(root, DESCRIPTION)
    for name in sorted(names, key=lambda name: (names[name], name)):
        packed = _described(root, name)
        if packed is not None and packed.scope == scope and packed.folders == [name]:
            return packed
    return None


def _described(root: str, name: str) -> "Packed | None":
    from udfs.search.packed import DESCRIPTION, Packed

    content = artifacts.read(f"{root}/{name}/{DESCRIPTION}")
    return None if content is None else Packed.from_json(root, name, content)


def _note(packed: "Packed") -> None:
    """Describe a packed gallery; also one that is described: its description says when it was last used."""
    from udfs.search.packed import DESCRIPTION

    artifacts.write(f"{packed.root}/{packed.name}/{DESCRIPTION}", packed.to_json())
    for other in set(packed.folders) - {packed.name}:
        uri = f"{packed.root}/{other}/{DESCRIPTION}"
        if (content := artifacts.read(uri)) is not None:
            artifacts.write(uri, content)


def _check(context: Context, packed: "Packed") -> set[str] | None:
    """How executors search the parts; None if one of them is not what was written."""
    checked = by_part(context.spark, packed).mapInArrow(matching.check(packed), spark_schema(matching.CHECKED))
    found = checked.collect()
    damage = next((row.damage for row in found if row.damage), None)
    if damage is not None:
        context.log.info(f"{context.job}: {damage}; the gallery is packed again")
        return None
    return {row.path for row in found}


def _make(context: Context, root: str, name: str, samples: DataFrame, count: int) -> tuple[list["Part"], set[str]]:
    """Parts of samples, and how the executors that packed them would search them."""
    from udfs.search.packed import Part

    edges = _edges(samples) if count > SAMPLES_A_PART else []
    # As many parts are before a person's as begin with that person or an earlier one.
    part = F.size(F.filter(F.array(*map(F.lit, edges)).cast("array<string>"), lambda edge: edge <= F.col("person_id")))
    columns = ["person_id", "sample_id", "embedding", "embedding_digest"]
    pack_part = peak_memory.told(context.spark, matching.pack(root, name))
    made = (
        samples.select(*columns, part.alias("part"))
        .repartitionById(len(edges) + 1, "part")
        .select(*columns)
        .mapInArrow(pack_part, spark_schema(matching.PART))
        .collect()
    )
    rows = [row.asDict() for row in sorted(made, key=lambda row: row.first_person.encode())]
    paths = {row.pop("path") for row in rows}
    return [Part(**row) for row in rows], paths


def _edges(samples: DataFrame) -> list[str]:
    """The first persons of all parts but the first, so that parts are of `SAMPLES_A_PART` samples, about."""
    counted = samples.groupBy("person_id").count().toArrow()
    counted = counted.take(pc.sort_indices(counted["person_id"]))
    before = np.cumsum(counted["count"].to_numpy()) - counted["count"].to_numpy()
    part = before // SAMPLES_A_PART
    first = np.flatnonzero(part[1:] != part[:-1]) + 1
    return counted["person_id"].take(first).to_pylist()


def sweep(context: Context, older_than: float, tables: Sequence[str] = ("gallery", SEEN_PHOTOS.name)) -> list[str]:
    """Remove what is packed beside tables and was last searched more than so many seconds ago; returns the names."""
    from udfs.search.packed import DESCRIPTION

    swept = []
    for table in tables:
        if context.tables.exists(table):
            root = place(context, table)
            old = sorted(name for name, age in artifacts.ages(root, DESCRIPTION).items() if age > older_than)
            for name in old:
                artifacts.remove(f"{root}/{name}")
            swept += old
    return swept
