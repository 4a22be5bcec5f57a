"""identify: the faces of a date against the gallery as it stands."""

from dataclasses import dataclass
from datetime import date

import click
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs import ledger
from jobs.options import RUN_DATE, Context, job_command, run_command
from schemas.catalog import DECISIONS
from udfs import matching
from udfs.arrow import spark_schema
from udfs.errors import InputError
from udfs.ids import stable_id
from udfs.vision.contract import settings_id

FACES_A_BLOCK = 512
SAMPLES_A_BLOCK = 4096


@job_command("identify")
@click.option("--run-date", type=RUN_DATE, required=True, help="The faces of this date.")
@click.option("--gallery-name", metavar="G", help="The gallery to search; not needed when there is only one.")
@click.option(
    "-k",
    type=click.IntRange(min=1),
    help="Persons kept for each face.  [default: identify.k of the settings]",
)
@click.option(
    "--minimum-size",
    type=click.FloatRange(min=0),
    metavar="PX",
    help="Smaller faces are not searched for.  [default: identify.minimum_size of the settings]",
)
def command(context: Context, **arguments: object) -> None:
    """Find the nearest registered persons of each face, and decide: match, review, unknown, or too_small.

    \b
    rollcall identify --tables ./tables --run-date 2026-01-31 -k 5

    The gallery is the one that stands now, less samples that are not valid on the run date. A person's
    similarity is that of their nearest sample. Faces that were decided under the same gallery and
    thresholds are not searched for again.
    """
    identify(context, **arguments)  # type: ignore[arg-type]


def identify(
    context: Context,
    *,
    run_date: date,
    gallery_name: str | None = None,
    k: int | None = None,
    minimum_size: float | None = None,
) -> dict[str, int]:
    """Identify the faces of a date; returns what was counted.

    Raises:
        InputError: no faces or gallery table, no such gallery, several contracts, no thresholds.
    """
    tables = context.tables
    gallery = Gallery.open(context, gallery_name, run_date)
    faces = _comparable(context, gallery, run_date)
    search = Search.of(context, gallery, k, minimum_size)

    arguments = {
        "run_date": run_date,
        "gallery_name": gallery.name,
        "k": search.k,
        "minimum_size": search.minimum_size,
    }
    with ledger.run(context.spark, tables, "identify", arguments) as run:
        run.digests.update(contract=gallery.contract_id, gallery=gallery.digest, search=search.search_id)
        here = (F.col("run_date") == F.lit(run_date)) & (F.col("gallery_name") == gallery.name)
        existing = tables.read_or_empty("identifications").where(here)
        decided = existing.where((F.col("gallery_digest") == gallery.digest) & (F.col("search_id") == search.search_id))
        # Of faces that are no more, or were found under other limits than those that count now.
        dropped = existing.join(faces, "face_id", "left_anti").select("face_id").localCheckpoint()
        pending = faces.join(decided.select("face_id"), "face_id", "left_anti")
        run.count("faces", faces.count())
        # Cut loose from the tables: what is pending must not change while it is being decided.
        probes = pending.select("face_id", "image_id", "run_date", "contract_id", "quality").localCheckpoint()
        identifiable = probes.where(F.col("quality.size") >= search.minimum_size).select("face_id")
        run.count("searched", identifiable.count())
        run.count("dropped", dropped.count())
        if not (probes.isEmpty() and dropped.isEmpty()):
            searched = faces.join(identifiable, "face_id", "left_semi")
            ranked = nearest(searched, gallery.samples, gallery.dimension, search.k, search.keep_floor)
            ranked = ranked.localCheckpoint()
            scope = probes.select("face_id").union(dropped).select("face_id", F.lit(gallery.name).alias("gallery_name"))
            tables.replace("matches", _matches(probes, ranked, gallery, run), scope, [run_date])
            decisions = _decisions(probes, ranked, gallery, search, run)
            tables.replace("identifications", decisions, scope, [run_date])
        decisions_now = tables.read_or_empty("identifications").where(here)
        for row in decisions_now.groupBy("decision").count().collect():
            run.count(row.decision, row["count"])
    said = ", ".join(f"{run.counts.get(name, 0):,} {name}" for name in DECISIONS)
    context.say(
        f"identify: {run.counts['searched']:,} of {run.counts['faces']:,} faces searched among"
        f" {gallery.persons:,} persons; {said}"
    )
    return run.counts


@dataclass(frozen=True)
class Gallery:
    """The samples of one gallery that are searched on one date, all of one contract."""

    name: str
    contract_id: str
    embedder: str
    dimension: int
    samples: DataFrame
    digest: str
    persons: int

    @classmethod
    def open(cls, context: Context, name: str | None, run_date: date) -> "Gallery":
        """Open the gallery of this name, or the only one there is.

        Raises:
            InputError: no gallery, not this one, none named where there are several, or several contracts.
        """
        table = context.tables.read("gallery").where(F.col("withdrawn_at").isNull())
        found = table.select("gallery_name", "contract_id").distinct().collect()
        names = sorted({row.gallery_name for row in found})
        if name is None and len(names) > 1:
            raise InputError(f"there are several galleries; say --gallery-name {' or '.join(names)}")
        name = name or (names[0] if names else None)
        if name is None or name not in names:
            there = f"there are: {', '.join(names)}" if names else "run `rollcall enroll` first"
            raise InputError(f"gallery {name or ''!r} has no samples; {there}")
        contracts = sorted(row.contract_id for row in found if row.gallery_name == name)
        if len(contracts) > 1:
            raise InputError(
                f"gallery {name!r} holds samples of several contracts, which cannot be compared:"
                f" {', '.join(contracts)}; withdraw those of all but one"
            )
        day = F.lit(run_date)
        samples = table.where(F.col("gallery_name") == name).where(
            F.coalesce(F.col("valid_from") <= day, F.lit(True)) & F.coalesce(F.col("valid_to") >= day, F.lit(True))
        )
        summary = samples.select(F.count_distinct("person_id").alias("persons"), *_digest_lanes()).first()
        contract = context.tables.read("contracts").where(F.col("contract_id") == contracts[0]).first()
        assert summary is not None
        assert contract is not None
        digest = stable_id("gallery", name, contracts[0], *[str(lane) for lane in summary[1:]])
        return cls(name, contracts[0], contract.embedder, contract.dimension, samples, digest, summary.persons)


def _digest_lanes() -> list[Column]:
    """Four lanes of an order-free digest of what is searched: SHA-256 a sample, joined by exclusive or.

    No two samples are alike, so none cancels another; a count stands beside the lanes.
    """
    said = F.to_json(
        F.struct(
            "sample_id",
            "person_id",
            "valid_from",
            "valid_to",
            F.array_sort("labels").alias("labels"),
            F.xxhash64("embedding").alias("embedding"),
        )
    )
    sha = F.sha2(said, 256)
    lanes = [F.bit_xor(F.conv(F.substring(sha, 1 + 15 * at, 15), 16, 10).cast("bigint")) for at in range(4)]
    return [F.count("*").alias("samples"), *[lane.alias(f"lane{at}") for at, lane in enumerate(lanes)]]


@dataclass(frozen=True)
class Search:
    """What decides, besides the faces and the gallery."""

    k: int
    minimum_size: float
    keep_floor: float
    match: float
    review: float
    threshold_id: str
    search_id: str

    @classmethod
    def of(cls, context: Context, gallery: Gallery, k: int | None, minimum_size: float | None) -> "Search":
        """The settings for a gallery's embedder."""
        settings = context.settings
        threshold = settings.threshold(gallery.embedder)
        k = k or settings.identify.k
        minimum_size = settings.identify.minimum_size if minimum_size is None else minimum_size
        threshold_id = f"settings:{gallery.embedder}:{threshold.match}:{threshold.review}"
        search_id = stable_id("search", k, str(minimum_size), str(threshold.keep_floor), threshold_id)
        return cls(k, minimum_size, threshold.keep_floor, threshold.match, threshold.review, threshold_id, search_id)


def _comparable(context: Context, gallery: Gallery, run_date: date) -> DataFrame:
    """The faces of a date that can be held against a gallery, each found once.

    Where images were searched under several limits, those of the settings count.

    Raises:
        InputError: all are of another contract, or were found under several limits, none of them configured.
    """
    of_date = context.tables.read("faces").where(F.col("run_date") == F.lit(run_date))
    found = of_date.select("contract_id", "settings_id").distinct().collect()
    contracts = sorted({row.contract_id for row in found})
    if found and gallery.contract_id not in contracts:
        raise InputError(
            f"the faces of {run_date} are of contract {', '.join(contracts)}, gallery {gallery.name!r} of"
            f" {gallery.contract_id}, and cannot be compared; embed or enroll with the other's models"
        )
    limits = sorted({row.settings_id for row in found if row.contract_id == gallery.contract_id})
    comparable = of_date.where(F.col("contract_id") == gallery.contract_id)
    if len(limits) <= 1:
        return comparable
    configured = settings_id(context.settings.spec())
    if configured not in limits:
        raise InputError(
            f"the faces of {run_date} were found under several limits ({', '.join(limits)}), and the settings"
            f" are others ({configured}); identify with the settings of the embed run that counts"
        )
    return comparable.where(F.col("settings_id") == configured)


def nearest(faces: DataFrame, samples: DataFrame, dimension: int, k: int, keep_floor: float) -> DataFrame:
    """The k nearest persons of each face: (face_id, person_id, sample_id, similarity, rank).

    A cross-join of blocks, the k nearest of each pair of blocks, and of those the k nearest. What passes
    between executors is the blocks and k candidates a face and gallery block, never pairs.
    """
    faces_packed = faces.select("face_id", "embedding").mapInArrow(
        matching.pack_queries(FACES_A_BLOCK), spark_schema(matching.QUERY_BLOCK)
    )
    samples_packed = samples.select("person_id", "sample_id", "embedding").mapInArrow(
        matching.pack_gallery(SAMPLES_A_BLOCK), spark_schema(matching.GALLERY_BLOCK)
    )
    candidates = faces_packed.crossJoin(samples_packed).mapInArrow(
        matching.search_blocks(k, keep_floor, dimension), spark_schema(matching.CANDIDATE)
    )
    nearest_sample = Window.partitionBy("face_id", "person_id").orderBy(F.desc("similarity"), "sample_id")
    nearest_person = Window.partitionBy("face_id").orderBy(F.desc("similarity"), "person_id")
    return (
        candidates.withColumn("_sample", F.row_number().over(nearest_sample))
        .where(F.col("_sample") == 1)
        .withColumn("rank", F.row_number().over(nearest_person))
        .where(F.col("rank") <= k)
        .select("face_id", "person_id", "sample_id", "similarity", "rank")
    )


def _matches(faces: DataFrame, ranked: DataFrame, gallery: Gallery, run: ledger.Run) -> DataFrame:
    return faces.join(ranked, "face_id").select(
        "face_id",
        F.lit(gallery.name).alias("gallery_name"),
        "person_id",
        "image_id",
        "run_date",
        "contract_id",
        "rank",
        "sample_id",
        "similarity",
        F.lit(run.run_id).alias("run_id"),
    )


def _decisions(faces: DataFrame, ranked: DataFrame, gallery: Gallery, search: Search, run: ledger.Run) -> DataFrame:
    best = ranked.where(F.col("rank") == 1).select("face_id", "person_id", "sample_id", "similarity")
    second = ranked.where(F.col("rank") == 2).select(
        "face_id",
        F.col("person_id").alias("runner_up_person_id"),
        F.col("similarity").alias("runner_up_similarity"),
    )
    decision = (
        F.when(F.col("quality.size") < search.minimum_size, "too_small")
        .when(F.col("similarity") >= search.match, "match")
        .when(F.col("similarity") >= search.review, "review")
        .otherwise("unknown")
    )
    return (
        faces.join(best, "face_id", "left")
        .join(second, "face_id", "left")
        .select(
            "face_id",
            F.lit(gallery.name).alias("gallery_name"),
            "image_id",
            "run_date",
            "contract_id",
            "quality",
            decision.alias("decision"),
            "person_id",
            "sample_id",
            "similarity",
            "runner_up_person_id",
            (F.col("similarity") - F.col("runner_up_similarity")).alias("margin"),
            F.lit(search.threshold_id).alias("threshold_id"),
            F.lit(search.match).alias("threshold"),
            F.lit(search.review).alias("review_threshold"),
            F.lit(gallery.digest).alias("gallery_digest"),
            F.lit(gallery.persons).alias("gallery_persons"),
            F.lit(search.search_id).alias("search_id"),
            F.lit(run.run_id).alias("run_id"),
        )
    )


if __name__ == "__main__":
    run_command(command)
