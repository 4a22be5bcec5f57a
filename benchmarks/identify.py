"""Identification on Spark: against Spark's own joins, the bare kernel, and larger galleries.

python -m benchmarks.identify [--large 5000000]
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from benchmarks.processes import own_processes
from benchmarks.rounds import alternate, isa, save
from benchmarks.tables import append_faces, filled
from jobs.identify import identify
from jobs.matching import packing
from jobs.matching.nearest import ExecutionPlan, nearest
from jobs.run.context import Context, opened
from schemas.catalog import CONTRACTS, TABLES
from schemas.store import Tables
from udfs.arrow import RecordBatches
from udfs.search.index import Index
from udfs.search.packed import Packed

Array = np.ndarray

DIMENSION, K, FLOOR = 512, 5, 0.2
A_PERSON = 10
DAY = date(2026, 1, 31)
SLICE = (500, 8_000)
"""Faces and samples that Spark's own joins end with in less than a minute; they are scaled by pairs."""


def near_persons(numbers: Array, nearness: float, seed: int) -> Array:
    """Embeddings of persons by their number, float32 (n, d): a direction each, and noise around it.

    As of real faces, any two have something in common: enough to be kept, so that every face has a full list.
    """
    made = np.empty((len(numbers), DIMENSION), np.float32)
    common = np.random.default_rng(2**32).standard_normal(DIMENSION, np.float32)
    for row, number in enumerate(numbers):
        person, sample = divmod(int(number), A_PERSON)
        centre = np.random.default_rng(person).standard_normal(DIMENSION, np.float32)
        noise = np.random.default_rng([seed, person, sample]).standard_normal(DIMENSION, np.float32)
        made[row] = nearness * (0.8 * common + centre) + noise
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def with_embeddings(numbers: DataFrame, nearness: float, seed: int) -> DataFrame:
    """(id) -> (id, embedding)."""

    def draw(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            vectors = near_persons(batch.column("id").to_numpy(), nearness, seed)
            offsets = np.arange(len(vectors) + 1, dtype=np.int32) * DIMENSION
            column = pa.ListArray.from_arrays(pa.array(offsets), pa.array(vectors.ravel()))
            yield pa.RecordBatch.from_arrays([batch.column("id"), column], ["id", "embedding"])

    return numbers.mapInArrow(draw, "id long, embedding array<float>")


def put_samples(context: Context, first: int, last: int) -> None:
    """Samples `first` to `last` of a gallery, ten a person, the persons in no order."""
    drawn = with_embeddings(context.spark.range(first, last, numPartitions=max(2, (last - first) // 20_000)), 1.2, 1)
    known = {
        "sample_id": F.sha2(F.col("id").cast("string"), 256),
        "gallery_name": F.lit("g"),
        "person_id": F.concat(F.lit("p"), F.lpad((F.col("id") / A_PERSON).cast("int").cast("string"), 7, "0")),
        "labels": F.array().cast("array<string>"),
        "uri": F.lit("u"),
        "contract_id": F.lit("c"),
        "embedding": F.col("embedding"),
        "embedding_digest": F.xxhash64("embedding"),
        "enrolled_at": F.lit(datetime.now(UTC)),
        "run_id": F.lit("r"),
    }
    context.tables.append("gallery", filled(drawn, "gallery", known))


def put_faces(context: Context, count: int, persons: int) -> None:
    """Faces of one date: half of them of registered persons."""
    step = A_PERSON * 2 * persons / count
    numbers = context.spark.range(count, numPartitions=4).select((F.col("id") * step).cast("long").alias("id"))
    drawn = with_embeddings(numbers, 1.2, 2).withColumn("row", F.monotonically_increasing_id())
    name = F.col("row").cast("string")
    append_faces(context, drawn, face_id=F.sha2(name, 256), image_id=name, run_date=F.lit(DAY))


def fresh(context: Context, folder: Path, name: str, samples: int, faces: int) -> Context:
    """Tables of their own with a gallery and faces to be identified."""
    made = replace(
        context,
        tables=Tables(context.spark, str(folder / name), None),
        log=logging.Logger("benchmark", logging.CRITICAL),
    )
    made.tables.append(
        "contracts", made.spark.createDataFrame([("c", "d", "facenet-vggface2", DIMENSION, "{}")], CONTRACTS.schema)
    )
    put_samples(made, 0, samples)
    put_faces(made, faces, samples // A_PERSON)
    return made


def asked(context: Context) -> DataFrame:
    """The faces as `nearest` takes them."""
    none = F.lit(None).cast("array<string>").alias("left_out")
    return context.tables.read("faces").select("face_id", "embedding", none)


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """The most anonymous memory that any Python worker of Spark has held meanwhile, MiB."""
    most, done = {"mib": 0.0}, threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            most["mib"] = max([most["mib"], *_workers()])

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        done.set()
        thread.join()


def _workers() -> Iterator[float]:
    """MiB of this process's own Spark workers, and of nobody else's on this machine."""
    for process in (Path("/proc") / str(number) for number in own_processes()):
        try:
            if b"pyspark.daemon" in (process / "cmdline").read_bytes():
                found = re.search(r"RssAnon:\s+(\d+)", (process / "status").read_text())
                yield int(found[1]) / 1024 if found else 0.0
        except OSError:  # it has ended
            continue


def timed(action: Callable[[], object]) -> tuple[float, object]:
    """Seconds, and what was returned."""
    began = time.perf_counter()
    result = action()
    return time.perf_counter() - began, result


def by_cross_join(faces: DataFrame, samples: DataFrame) -> DataFrame:
    """What one writes in SQL: all pairs, and a window."""
    best = samples.crossJoin(faces).withColumn("similarity", _product("embedding", "other"))
    best = best.groupBy("face_id", "person_id").agg(F.max("similarity").alias("similarity"))
    rank = Window.partitionBy("face_id").orderBy(F.desc("similarity"))
    return best.withColumn("rank", F.row_number().over(rank)).where(F.col("rank") <= K)


def by_nearest_by_join(faces: DataFrame, samples: DataFrame) -> DataFrame:
    """Spark's own top-k join, of samples: it knows no persons."""
    return faces.nearestByJoin(samples, _product("embedding", "other"), K, "exact", "similarity")


def _product(left: str, right: str) -> Column:
    return F.expr(f"vector_inner_product({left}, {right})").cast("double")


def against_spark(context: Context, rounds: int, threads: int) -> dict[str, float]:
    """Seconds a million pairs of each of Spark's joins, on a slice in memory, in as many parts as there are cores."""
    faces, samples = SLICE
    few = context.tables.read("faces").select("face_id", "embedding").limit(faces)
    few = few.repartition(threads).localCheckpoint()
    some = context.tables.read("gallery").select("person_id", F.col("embedding").alias("other"))
    some = some.limit(samples).repartition(threads).localCheckpoint()
    timings = alternate(
        {
            "crossJoin and window": lambda: by_cross_join(few, some).count(),
            "nearestByJoin": lambda: by_nearest_by_join(few, some).count(),
        },
        rounds,
    )
    return {name: timing.median / (faces * samples) * 1e6 for name, timing in timings.items()}


def search(context: Context, rounds: int, threads: int, plan: ExecutionPlan) -> dict[str, float]:
    """Seconds of scan, pack, check and search on Spark, and of the bare kernel on the same packed gallery."""
    samples = context.tables.read("gallery").where("withdrawn_at IS NULL")

    def pack() -> tuple[Packed, list[str]]:
        return packing.pack(context, samples, packing.digest_of_packed(samples))

    pack_seconds, _ = timed(pack)
    check_seconds, packed = timed(lambda: pack()[0])
    assert isinstance(packed, Packed)
    scan_seconds, scanned = timed(lambda: asked(context).repartition(threads).localCheckpoint())
    assert isinstance(scanned, DataFrame)
    column = scanned.select("embedding").toArrow()["embedding"].combine_chunks()
    vectors = np.asarray(column.flatten()).reshape(len(column), DIMENSION)
    index = Index([part.load(Path(packed.place(part).removeprefix("file://"))) for part in packed.parts])
    with watched() as memory:
        timings = alternate(
            {
                "bare kernel": lambda: len(index.nearest(vectors, K, FLOOR, threads).query),
                "on Spark": lambda: (
                    nearest(scanned, len(vectors), packed, DIMENSION, K, FLOOR, plan).localCheckpoint().count()
                ),
            },
            rounds,
        )
    if timings["bare kernel"].result != timings["on Spark"].result:
        raise RuntimeError("Spark and the bare kernel found other numbers of persons")
    return {
        "pack": pack_seconds,
        "check": check_seconds,
        "scan": scan_seconds,
        "kernel": timings["bare kernel"].median,
        "search": timings["on Spark"].median,
        "worker_mib": memory["mib"],
    }


def changes(context: Context, samples: int, faces: int) -> dict[str, object]:
    """What runs compute that have a gallery with changes, as shares of the first run's comparisons."""
    first, counts = timed(lambda: identify(context, run_date=DAY, k=K))
    full = faces * samples
    assert isinstance(counts, dict)
    told: dict[str, object] = {"first": {"seconds": round(first, 2), "comparisons": counts["comparisons"] / full}}
    hundredth = samples // 100
    full_lists = context.tables.read("matches").groupBy("face_id").count().where(F.col("count") >= K).count()

    def withdraw() -> None:
        gone = F.pmod(F.xxhash64("person_id"), F.lit(100)) == 7
        names = [name for name in TABLES["gallery"].names if name != "withdrawn_at"]
        rows = context.tables.read("gallery").where(gone).select(*names, F.current_timestamp().alias("withdrawn_at"))
        context.tables.update("gallery", rows)

    for name, change in (
        ("nothing new", lambda: None),
        ("1% added", lambda: put_samples(context, samples, samples + hundredth)),
        ("1% withdrawn", withdraw),
    ):
        change()
        seconds, counts = timed(lambda: identify(context, run_date=DAY, k=K))
        assert isinstance(counts, dict)
        told[name] = {
            "seconds": round(seconds, 2),
            "comparisons": round(counts["comparisons"] / full, 4),
            "searched_again": counts["searched"],
        }
    told["predicted"] = {"1% added": 0.01, "1% withdrawn": round((1 - 0.99**K) * full_lists / faces, 4)}
    return told


@click.command(help=__doc__)
@click.option("--data", hidden=True, help="Not needed; all benchmarks are called with it.")
@click.option("--faces", default=20_000, show_default=True)
@click.option("--samples", default=200_000, show_default=True)
@click.option("--large", default=0, help="A gallery of so many samples as well, e.g. 5000000: 10 GB.")
@click.option("--rounds", default=3, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Cores of Spark; threads of the bare kernel.")
def main(data: str | None, faces: int, samples: int, large: int, rounds: int, threads: int) -> None:
    figures: dict[str, object] = {"faces": faces, "samples": samples, "k": K, "threads": threads}
    with (
        TemporaryDirectory() as name,
        opened("bench", tables=f"{name}/tables", master=f"local[{threads}]") as context,
    ):
        folder = Path(name)
        growth = {}
        for count in (4 * samples, 2 * samples, samples):  # the last stays for what follows
            made = fresh(context, folder, f"of-{count}", count, faces)
            growth[count] = search(made, rounds, threads, "gallery")
            told = ", ".join(f"{what} {value:.2f}" for what, value in growth[count].items())
            print(f"{count:,} samples: {told}", flush=True)
        of = growth[samples]
        exponent = float(np.polyfit(np.log(list(growth)), np.log([g["search"] for g in growth.values()]), 1)[0])
        share = of["kernel"] / of["search"]
        figures["growth"] = {str(count): {k: round(v, 3) for k, v in g.items()} for count, g in growth.items()}
        joins = against_spark(made, rounds, threads)
        pairs = faces * samples / 1e6
        ratios = {name: seconds * pairs / of["search"] for name, seconds in joins.items()}
        for join, ratio in ratios.items():
            print(f"{join}: {joins[join]:.3f} s a million pairs, {ratio:,.0f} times ours", flush=True)
        figures["changes"] = changes(made, samples, faces)
        for what, value in figures["changes"].items():  # type: ignore[attr-defined]
            print(f"{what}: {value}", flush=True)
        if large:
            save("identify-large", of_large(context, folder, large, threads))
    figures |= {
        "share": round(share, 3),
        "exponent": round(exponent, 3),
        "ratios": {n: round(r) for n, r in ratios.items()},
    }
    print(f"written to {save('identify', figures)}")
    memory = max(g["worker_mib"] for g in growth.values())
    print(
        f"identify: ratio={ratios['nearestByJoin']:.0f} cross_join={ratios['crossJoin and window']:.0f}"
        f" kernel_share={share:.2f} exponent={exponent:.2f} worker_mib={memory:.0f} isa={isa()}"
    )


def of_large(context: Context, folder: Path, samples: int, threads: int) -> dict[str, object]:
    """A gallery that no worker could hold: both plans, and the most memory of a worker."""
    made = fresh(context, folder, "large", samples, 4_000)
    told: dict[str, object] = {"samples": samples, "faces": 4_000}
    for plan in ("gallery", "parts"):
        with watched() as memory:
            found = search(made, 1, threads, plan)
        told[plan] = {name: round(value, 2) for name, value in found.items()}
        print(f"{samples:,} samples by {plan}: {told[plan]}, worker at most {memory['mib']:.0f} MiB", flush=True)
    return told


if __name__ == "__main__":
    main()
