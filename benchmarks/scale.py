"""Identification on 1, 2 and 4 executors of one core: how the work is split, what is shuffled, and what the driver
collects. These are counts; docs/scale.md computes from them and from measured speeds what larger clusters need.

python -m benchmarks.scale
"""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from pyspark.sql import functions as F

from benchmarks import event_log
from benchmarks.rounds import isa, save
from benchmarks.tables import put_contract, put_faces, put_samples
from jobs.identify import identify
from jobs.matching import packing
from jobs.matching.nearest import nearest
from jobs.run.context import Context, opened
from jobs.run.spark_properties import properties
from schemas.store import Tables

DIMENSION, K, FLOOR = 512, 5, 0.2
DAY = date(2026, 1, 31)
EXECUTORS = (1, 2, 4)
FACES = (8_064, 16_128)
"""The second for each number of executors, the first to see what grows with the faces."""
SAMPLES, A_PERSON, A_PART = 96_000, 4, 12_000
"""Parts are smaller than they are otherwise (65,536 samples), so that four executors have several each."""


@dataclass(frozen=True)
class Case:
    """One run: what for, and on how many executors."""

    executors: int
    faces: int
    samples: int = SAMPLES


CASES = [*(Case(executors, FACES[-1]) for executors in EXECUTORS), Case(2, FACES[0]), Case(2, FACES[-1], SAMPLES // 2)]


def run(case: Case, folder: Path) -> dict[str, object]:
    """One case in a process and a cluster of its own; what its event log says, and the sizes of what it wrote."""
    logs = folder / "logs"
    logs.mkdir(parents=True)
    written = {**properties("local"), **event_log.settings(logs)}
    file = folder / "spark.conf"
    file.write_text("".join(f"{name} {value}\n" for name, value in written.items()), encoding="utf-8")
    worker = [sys.executable, "-m", "benchmarks.scale", "--case", json.dumps(asdict(case)), "--folder", str(folder)]
    variables = {**os.environ, "ROLLCALL_PROPERTIES": str(file)}
    done = subprocess.run(worker, env=variables, capture_output=True, text=True, timeout=1800, check=False)
    if done.returncode:
        raise RuntimeError(f"{case}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    (log,) = logs.iterdir()
    found = {name: step for name, step in event_log.steps(log).items() if name in STEPS}
    told: dict[str, object] = {
        name: {
            "tasks": step.tasks,
            "shuffled_bytes": step.shuffled_bytes,
            "shuffled_records": step.shuffled_records,
            "collected_bytes": step.collected_bytes,
            "largest_share": round(step.largest_share, 3),
            "executors": len(step.run_ms),
        }
        for name, step in found.items()
    }
    return {**asdict(case), **told, **json.loads((folder / "sizes.json").read_text(encoding="utf-8"))}


STEPS = ("pack", "gallery", "parts", "identify")


def steps(case: Case, folder: Path) -> None:
    """What a case does, in its process."""
    packing.SAMPLES_A_PART = A_PART
    master = f"local-cluster[{case.executors},1,1024]"
    with opened("bench", tables=str(folder / "tables"), master=master) as made:
        context = replace(made, log=logging.Logger("benchmark", logging.CRITICAL))
        persons = case.samples // A_PERSON
        put_contract(context, DIMENSION)
        put_samples(context, persons, case.samples, DIMENSION)
        put_faces(context, 0, case.faces, F.lit(DAY), persons, DIMENSION)
        samples = context.tables.read("gallery")
        with _step(context, "pack"):
            packed, _ = packing.pack(context, samples, packing.digest_of_packed(samples))
        none = F.lit(None).cast("array<string>").alias("left_out")
        faces = context.tables.read("faces").select("face_id", "embedding", none)
        counts = {}
        for plan in ("gallery", "parts"):
            with _step(context, plan):
                found = nearest(faces, case.faces, packed, DIMENSION, K, FLOOR, plan).localCheckpoint()
            counts[plan] = found.count()
        if counts["gallery"] != counts["parts"]:
            raise RuntimeError(f"the plans found other numbers of persons: {counts}")
        with _step(context, "identify"):
            identify(context, run_date=DAY, k=K)
        sizes = {
            "parts_packed": len(packed.parts),
            "packed_bytes": packed.size,
            "candidates": counts["gallery"],
            **{f"{name}_bytes": context.tables.files(name).bytes for name in _GROWING},
            "commits": {name: _commits(context.tables, name) for name in _WRITTEN},
        }
    (folder / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")


_GROWING = ("faces", "gallery", "matches", "identifications", "searched_samples")
_WRITTEN = ("matches", "identifications", "searches", "searched_samples", "runs")


@contextmanager
def _step(context: Context, name: str) -> Iterator[None]:
    context.spark.sparkContext.setLocalProperty(event_log.STEP, name)
    try:
        yield
    finally:
        context.spark.sparkContext.setLocalProperty(event_log.STEP, "")


def _commits(tables: Tables, name: str) -> dict[str, int]:
    """How many commits a table has, and the bytes of their entries in its log."""
    entries = list(Path(tables.location(name).removeprefix("file://"), "_delta_log").glob("*.json"))
    return {"count": len(entries), "bytes": sum(entry.stat().st_size for entry in entries)}


@click.command(help=__doc__)
@click.option("--data", hidden=True, help="Not needed; all benchmarks are called with it.")
@click.option("--case", hidden=True)
@click.option("--folder", hidden=True, type=click.Path(path_type=Path))
def main(data: str | None, case: str | None, folder: Path | None) -> None:
    if case is not None and folder is not None:
        steps(Case(**json.loads(case)), folder)
        return
    figures: dict[str, object] = {"dimension": DIMENSION, "k": K}
    cases = []
    for each in CASES:
        with TemporaryDirectory() as name:
            cases.append(run(each, Path(name)))
        print(cases[-1], flush=True)
    figures["cases"] = cases
    print(f"written to {save('scale', figures)}")
    print(f"scale: cases={len(cases)} isa={isa()}")


if __name__ == "__main__":
    main()
