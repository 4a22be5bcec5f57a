"""Inputs beyond the usual: pending images, dates, files in one folder, faces of one date; what the driver holds then.

python -m benchmarks.large [--only pending] [--pending 100000 --files 20000 ...]
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from unittest.mock import patch

import click
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from benchmarks.processes import own_processes
from benchmarks.rounds import isa, save
from benchmarks.tables import put_contract, put_faces, put_images, put_samples
from jobs.embed import embed
from jobs.faces import slices
from jobs.identify import identify
from jobs.ingest import ingest
from jobs.run.context import Context, opened
from jobs.run.errors import one_line
from jobs.run.ledger import Run
from jobs.run.spark_properties import properties
from udfs.arrow import spark_schema
from udfs.memory import peak_mib
from udfs.records import OUTCOME

Figures = dict[str, object]

FIRST = date(2020, 1, 1)
PERSONS, SAMPLES = 200, 1_000
COMPUTED = 4
"""Slices of the pending images that are committed; the others are passed over, as each costs the same."""


# --- the four inputs -------------------------------------------------------------------------------------


def pending(context: Context, count: int, slice_size: int) -> Figures:
    """`embed` with so many images pending, half of them of one date. Instead of models there is an outcome at once."""
    dates = 100
    day = F.when(F.col("id") < count // 2, F.lit(0)).otherwise(1 + (F.col("id") - count // 2) * 2 * dates / count)
    put_images(context, count, F.date_add(F.lit(FIRST), day.cast("int")))
    told: Figures = {"images": count, "slice": slice_size}
    with weightless(), only_some_slices() as seen, timed(told, "all"):
        counts = embed(context, all_pending=True, commit_every=slice_size)
    told |= {"pending": counts["pending"], "slices": seen["slices"], "first_slice_at_s": round(seen["first"], 1)}
    told["committed_slice_s"] = round(seen["committing"] / COMPUTED, 2)
    return told | memory(context)


def dates(context: Context, count: int, faces: int) -> Figures:
    """`identify --all-dates` of so many dates with some faces each: the first time, again, and after a change."""
    put_contract(context, 64)
    put_samples(context, PERSONS, SAMPLES, 64)
    put_faces(context, 0, count * faces, F.date_add(F.lit(FIRST), (F.col("id") / faces).cast("int")), PERSONS, 64)
    told: Figures = {"dates": count, "faces_a_date": faces}
    with timed(told, "first"):
        counts = identify(context, all_dates=True)
    told["faces"] = counts["faces"]
    with timed(told, "nothing_new"):
        identify(context, all_dates=True)
    put_samples(context, PERSONS, SAMPLES + SAMPLES // 100, 64, first=SAMPLES)
    with timed(told, "one_percent_added"):
        identify(context, all_dates=True)
    return told | memory(context)


def files(context: Context, count: int) -> Figures:
    """`ingest` of one folder with so many files."""
    told: Figures = {"files": count}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(count):
            os.close(os.open(f"{folder}/frame-{number:09d}-of-a-camera.jpg", os.O_CREAT | os.O_WRONLY))
        with timed(told, "first"):
            told["new"] = ingest(context, source=folder)["new"]
        told |= memory(context)
        with timed(told, "nothing_new"):
            ingest(context, source=folder)
    return told


def faces(context: Context, count: int, dimension: int) -> Figures:
    """`identify` of one date with so many faces: the first time, again, and after a change."""
    put_contract(context, dimension)
    put_samples(context, PERSONS, SAMPLES, dimension)
    put_faces(context, 0, count, F.lit(FIRST), PERSONS, dimension)
    told: Figures = {"faces": count, "dimension": dimension}
    with timed(told, "first"):
        identify(context, run_date=FIRST)
    with timed(told, "nothing_new"):
        identify(context, run_date=FIRST)
    put_samples(context, PERSONS, SAMPLES + SAMPLES // 100, dimension, first=SAMPLES)
    with timed(told, "one_percent_added"):
        identify(context, run_date=FIRST)
    last = context.tables.read("runs").where("event = 'finished'").orderBy("at", ascending=False).first()
    assert last is not None
    return told | {"worker_peak_mib": last.counts.get("worker_peak_mib")} | memory(context)


# --- what is measured ------------------------------------------------------------------------------------


def memory(context: Context) -> Figures:
    """The most that this process, the driver, has held, and the heap of its JVM, in MiB. In local mode the heap is
    that of the executor as well, and is full of garbage up to its bound: what it held at most is no more than that.
    """
    jvm = context.spark.sparkContext._jvm
    assert jvm is not None
    management = jvm.java.lang.management
    # The pools of the heap have their peaks at different times: together they never held more than the bound.
    pools = [p for p in management.ManagementFactory.getMemoryPoolMXBeans() if p.getType().toString() == "Heap memory"]
    peak = sum(pool.getPeakUsage().getUsed() for pool in pools)
    jvm.java.lang.System.gc()
    heap = management.ManagementFactory.getMemoryMXBean().getHeapMemoryUsage()
    return {
        "driver_python_mib": peak_mib(),
        "jvm_heap_peak_mib": min(peak, heap.getMax()) >> 20,
        "jvm_heap_bound_mib": heap.getMax() >> 20,
        "jvm_heap_held_mib": heap.getUsed() >> 20,
        "jvm_resident_peak_mib": peak_mib(jvm.java.lang.ProcessHandle.current().pid()),
    }


@contextmanager
def timed(told: Figures, name: str) -> Iterator[None]:
    """Note the seconds that something takes, NAME_s, and those of processors, NAME_cpu_s, which depend less on what
    else a machine does.
    """
    began, used = time.perf_counter(), processor_seconds()
    yield
    told[f"{name}_s"] = round(time.perf_counter() - began, 1)
    told[f"{name}_cpu_s"] = round(processor_seconds() - used, 1)
    click.echo(f"  {name}: {told[f'{name}_s']} s, {told[f'{name}_cpu_s']} s of processors")


def processor_seconds() -> float:
    """Of this process and of all that it has started, the JVM and its Python workers among them."""
    return sum(sum(map(int, fields[11:15])) for fields in own_processes().values()) / os.sysconf("SC_CLK_TCK")


@contextmanager
def weightless() -> Iterator[None]:
    """`embed` finds no face in any image, and reads none."""

    def none(context: Context, rows: pa.Table, *_: object) -> DataFrame:
        names = [field for field in spark_schema(OUTCOME) if field.name != "image_id"]
        known = {"outcome": F.lit("no_face"), "detail": F.lit(""), "width": F.lit(0), "height": F.lit(0)}
        known["faces"] = F.array()
        columns = [known.get(f.name, F.lit(None)).cast(f.dataType).alias(f.name) for f in names]
        return context.spark.createDataFrame(rows.select(["image_id"])).select("image_id", *columns)

    with patch.object(slices, "faces_of", none):
        yield


@contextmanager
def only_some_slices() -> Iterator[dict[str, float]]:
    """The first slices are staged and committed, the others only counted."""
    seen = {"slices": 0, "first": 0.0, "committing": 0.0}
    stage, commit, began = slices.Slices.stage, slices.Slices.commit, time.perf_counter()

    def counted(work: slices.Slices, rows: pa.Table, run: Run) -> str:
        seen["slices"] += 1
        seen["first"] = seen["first"] or time.perf_counter() - began
        seen["staged"] = time.perf_counter()
        return stage(work, rows, run) if seen["slices"] <= COMPUTED else ""

    def committed(work: slices.Slices, slice_id: str, run: Run) -> None:
        if slice_id:
            commit(work, slice_id, run)
            seen["committing"] += time.perf_counter() - seen["staged"]

    with patch.multiple(slices.Slices, stage=counted, commit=committed):
        yield seen


def alone(heap: str, measure: Callable[..., Figures], *sizes: int) -> Figures:
    """Measure in a process with a JVM of its own: peaks of memory stand for all that a process has done."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (heap, measure, sizes))


def _measured(heap: str, measure: Callable[..., Figures], sizes: tuple[int, ...]) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "spark.conf"
        given.write_text(
            "".join(f"{n} {v}\n" for n, v in (properties("local") | {"spark.driver.memory": heap}).items())
        )
        os.environ["ROLLCALL_PROPERTIES"] = str(given)
        os.environ["SPARK_LOCAL_DIRS"] = folder
        changes = ("vision.embedder=dlib-resnet-v1", "vision.precision=fp32")  # every machine can fetch its weights
        with opened("bench", tables=f"{folder}/tables", master="local[2]", changes=changes) as context:
            try:
                return measure(context, *sizes)
            except Exception as error:  # noqa: BLE001 - what Spark raises cannot be sent to another process
                raise RuntimeError(one_line(error)) from None


@click.command(help=__doc__)
@click.option("--data", hidden=True, help="Not needed; all benchmarks are called with it.")
@click.option(
    "--only", multiple=True, type=click.Choice(["pending", "dates", "files", "faces"]), help="May be repeated."
)
@click.option("--pending", "images", default=5_000_000, show_default=True, help="Images that are pending.")
@click.option("--dates", "days", default=2_000, show_default=True, help="Dates with a few faces each.")
@click.option("--files", "names", default=1_000_000, show_default=True, help="Files in one folder.")
@click.option("--faces", "found", default=3_000_000, show_default=True, help="Faces of one date.")
@click.option("--dimension", default=64, show_default=True, help="Values of an embedding of those.")
def main(
    data: str | None, only: tuple[str, ...], images: int, days: int, names: int, found: int, dimension: int
) -> None:
    measures: dict[str, Callable[[], Figures]] = {
        "pending": lambda: alone("640m", pending, images, 5_000),
        "dates": lambda: alone("2g", dates, days, 5),
        "files": lambda: alone("640m", files, names),
        "faces": lambda: alone("2g", faces, found, dimension),
    }
    figures: dict[str, Figures] = {}
    for name in only or measures:
        load = os.getloadavg()[0]
        figures[name] = measures[name]() | {"load_before": round(load, 1)}
        click.echo(f"{name}: {figures[name]}, written to {save(f'large-{name}', figures[name])}")

    def of(name: str, *added: str) -> str:
        return f"{sum(figures[name][part] for part in added):.0f}" if name in figures else "-"  # type: ignore[misc]

    both = ("driver_python_mib", "jvm_heap_peak_mib")
    click.echo(
        f"large: pending_mib={of('pending', *both)} dates_s={of('dates', 'first_s')} files_mib={of('files', *both)}"
        f" faces_mib={of('faces', *both)} isa={isa()}"
    )


if __name__ == "__main__":
    main()
