"""Enrolment of photos whose faces are known onto a large gallery: samples a second, the driver's memory, and a run that
is killed in the middle.

python -m benchmarks.enroll --data FOLDER [--photos 100000] [--samples 500000]
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

from benchmarks.data import data_option, facenet
from benchmarks.identify import A_PERSON, with_embeddings
from benchmarks.rounds import isa, save
from benchmarks.tables import filled
from jobs.faces.contracts import note_contract
from jobs.run.context import Context, opened
from jobs.run.local_jvm import JAVA_OPTIONS
from jobs.run.spark_properties import properties
from udfs.ids import image_id
from udfs.lake import uri_of
from udfs.vision.contract import Contract, contract, settings_id

DAY = date(2026, 1, 31)
NEARNESS = 1.2
LEFT_OUT = ("run_id", "enrolled_at")
"""Columns that say when and by whom."""


def put_gallery(context: Context, agreed: Contract, samples: int) -> None:
    """Samples of registered persons, ten each."""
    numbers = context.spark.range(0, samples, numPartitions=max(2, samples // 20_000))
    known = {
        "sample_id": F.sha2(F.col("id").cast("string"), 256),
        "gallery_name": F.lit("g"),
        "person_id": _person("id"),
        "labels": F.array().cast("array<string>"),
        "uri": F.lit("u"),
        "contract_id": F.lit(agreed.contract_id),
        "embedding": F.col("embedding"),
        "embedding_digest": F.xxhash64("embedding"),
        "enrolled_at": F.lit(datetime.now(UTC)),
        "run_id": F.lit("r"),
    }
    context.tables.append("gallery", filled(with_embeddings(numbers, NEARNESS, 1), "gallery", known))


def put_photos(context: Context, agreed: Contract, folder: Path, photos: int, samples: int) -> Path:
    """Photos whose faces the tables know, and a manifest of them: one half of registered persons, one of new ones."""
    half = photos // 2
    registered = np.arange(half, dtype=np.int64) * max(1, samples // half)
    numbers = np.concatenate([registered, samples + np.arange(photos - half, dtype=np.int64)])
    rows = []
    for number in numbers.tolist():
        path = folder / f"{number % 100:02}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a photo that need not be opened")
        seen = path.stat()
        uri = uri_of(str(path))
        rows.append((image_id(uri, seen.st_size, seen.st_mtime_ns // 1000), number, uri))
    ids, of, uris = zip(*rows, strict=True)
    manifest = folder / "people.csv"
    persons = [f"p{number // A_PERSON:07}" for number in of]
    manifest.write_text(
        "person_id,uri\n" + "".join(f"{person},{uri}\n" for person, uri in zip(persons, uris, strict=True)), "utf-8"
    )
    listed = context.spark.createDataFrame(pa.table({"image_id": ids, "id": of}))
    drawn = with_embeddings(listed.select("id").repartition(4), NEARNESS, 2)
    of_image = {
        "image_id": F.col("image_id"),
        "run_date": F.lit(DAY),
        "contract_id": F.lit(agreed.contract_id),
        "settings_id": F.lit(settings_id(context.settings.spec())),
        "run_id": F.lit("r"),
    }
    found = {
        "face_id": F.col("image_id"),
        "ordinal": F.lit(0),
        "score": F.lit(1.0),
        "embedding": F.col("embedding"),
        "landmarks": F.array_repeat(F.struct(F.lit(0.0).alias("x"), F.lit(0.0).alias("y")), 5),
    }
    context.tables.append("faces", filled(listed.join(drawn, "id"), "faces", of_image | found))
    outcome = {
        "outcome": F.lit("faces"),
        "detail": F.lit(""),
        "content_sha256": F.sha2("image_id", 256),
        "width": F.lit(250),
        "height": F.lit(250),
        "captured_at": F.lit(datetime.now(UTC)),
        "captured_at_source": F.lit("modified"),
        "face_count": F.lit(1),
        "precision": F.lit("fp32"),
        "attempts": F.lit(1),
    }
    context.tables.append("image_outcomes", filled(listed, "image_outcomes", of_image | outcome))
    return manifest


def _person(number: str) -> Column:
    return F.concat(F.lit("p"), F.lpad((F.col(number) / A_PERSON).cast("int").cast("string"), 7, "0"))


class Enrolment:
    """`rollcall enroll` as a process of its own, in a session of its own."""

    def __init__(self, tables: Path, manifest: Path, settings: tuple[str, ...], threads: int) -> None:
        self.tables = tables
        self.collections = tables.with_name(f"{tables.name}.gc")
        properties_file = tables.with_name(f"{tables.name}.conf")
        of_session = properties("local") | {"spark.driver.memory": "1g"}
        of_session[JAVA_OPTIONS] += f" -Xlog:gc:file={self.collections}"
        properties_file.write_text("".join(f"{name} {value}\n" for name, value in of_session.items()), "utf-8")
        changes = [part for change in settings for part in ("--set", change)]
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jobs.enroll", "--gallery", str(manifest), "--gallery-name", "g"),
                *("--tables", str(tables), "--master", f"local[{threads}]", *changes),
            ],
            env={**os.environ, "ROLLCALL_PROPERTIES": str(properties_file)},
            start_new_session=True,
        )

    def end(self) -> None:
        if self.process.wait():
            raise RuntimeError("enroll failed")

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def heap_mib(self) -> int:
        """The largest heap that the JVM has had, used or not."""
        return max(int(found) for found in re.findall(r"->\d+M\((\d+)M\)", self.collections.read_text("utf-8")))


def wait_for(folder: Path, pattern: str, enrolment: Enrolment) -> None:
    """Wait until there is such a file, while an enrolment runs."""
    while not any(folder.glob(pattern)):
        if enrolment.process.poll() is not None:
            raise RuntimeError("enroll ended before it could be killed")
        time.sleep(0.1)


@contextmanager
def session(tables: Path, settings: tuple[str, ...], threads: int) -> Iterator[Context]:
    with opened("bench", tables=str(tables), changes=settings, master=f"local[{threads}]") as context:
        yield context


def last_run(context: Context) -> dict[str, float]:
    """Seconds and counts of the last run that has ended."""
    row = context.tables.read("runs").where("event = 'finished'").orderBy(F.desc("at")).first()
    assert row is not None
    return {"seconds": row.seconds, **row.counts}


def digest(context: Context, table: str) -> int:
    """Of the rows of a table, less what may differ between runs."""
    rows = context.tables.read(table)
    kept = [name for name in rows.columns if name not in LEFT_OUT]
    (found,) = rows.agg(F.expr(f"bit_xor(xxhash64({', '.join(kept)}))").alias("of"), F.count("*").alias("n")).collect()
    return hash((found.of, found.n))


@click.command(help=__doc__)
@data_option
@click.option("--photos", default=100_000, show_default=True)
@click.option("--samples", default=500_000, show_default=True)
@click.option("--threads", default=2, show_default=True, help="Cores of Spark.")
def main(data: Path, photos: int, samples: int, threads: int) -> None:
    settings = ("vision.embedder=facenet-vggface2", f"weights.facenet-vggface2={facenet(data).resolve()}")
    with TemporaryDirectory() as name:
        whole, killed = Path(name) / "whole", Path(name) / "killed"
        with session(whole, settings, threads) as context:
            agreed = contract(context.settings.spec())
            note_contract(context, agreed)
            put_gallery(context, agreed, samples)
            manifest = put_photos(context, agreed, Path(name) / "photos", photos, samples)
        shutil.copytree(whole, killed)

        uninterrupted = Enrolment(whole, manifest, settings, threads)
        uninterrupted.end()
        with session(whole, settings, threads) as context:
            first = last_run(context)
            rows = [digest(context, table) for table in ("gallery", "enrollments")]
        heap = uninterrupted.heap_mib
        rate, driver = photos / first["seconds"], heap + first["driver_peak_mib"]
        print(f"{photos:,} photos onto {samples:,}: {first['seconds']:.1f} s, {rate:,.0f} samples/s", flush=True)
        print(f"driver: heap of the JVM at most {heap} MiB, Python {first['driver_peak_mib']:.0f} MiB", flush=True)

        # When the faces are committed, and the gallery is packed: in the middle of the search.
        doomed = Enrolment(killed, manifest, settings, threads)
        wait_for(killed / "gallery", "_packed/*/packed.json", doomed)
        time.sleep(5)
        if doomed.process.poll() is not None:
            raise RuntimeError("enroll ended before it was killed; ask for more --photos")
        doomed.kill()
        with session(killed, settings, threads) as context:
            committed = context.tables.read("seen_photos").count()
        if not committed:
            raise RuntimeError("nothing was committed when it was killed; ask for more --photos")
        resumed = Enrolment(killed, manifest, settings, threads)
        resumed.end()
        with session(killed, settings, threads) as context:
            second = last_run(context)
            again = [digest(context, table) for table in ("gallery", "enrollments")]
            left_over = context.tables.read("seen_photos").count()
    if again != rows or left_over:
        raise RuntimeError("the run that was killed and resumed has ended with other rows")
    redone = committed + second.get("looked_up", 0) + second.get("images", 0) - photos
    figures = {
        "photos": photos,
        "samples": samples,
        "threads": threads,
        "whole": {what: round(value, 1) for what, value in first.items()},
        "heap_mib": heap,
        "committed_when_killed": committed,
        "resumed": {what: round(value, 1) for what, value in second.items()},
    }
    print(f"killed with {committed:,} photos committed; resumed: {second['seconds']:.1f} s", flush=True)
    print(f"written to {save('enroll', figures)}")
    print(f"enroll: samples_per_s={rate:.0f} driver_mib={driver:.0f} redone={redone:.0f} isa={isa()}")


if __name__ == "__main__":
    main()
