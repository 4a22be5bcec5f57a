"""Searching all faces that were ever seen: seconds a question, what a new night costs, and whether the answer is right.

python -m benchmarks.seen --data FOLDER [--faces 1000000] [--dates 100]

Real faces (LFW's development view) of a 192-dimensional and a 512-dimensional embedder, completed by drawn ones, as the
faces of many dates. A question is one real face; its peer is the definition of the search over the same vectors. All
on one Spark session that stands; the first question has packed everything.
"""

import logging
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np
import pyarrow as pa
from pyspark.sql import functions as F

from benchmarks import lfw
from benchmarks.data import data_option, facenet
from benchmarks.identify import timed, watched
from benchmarks.rounds import alternate, isa, save
from benchmarks.tables import CONTRACT, append_faces, put_contract, put_faces
from jobs.matching.nearest_faces import SearchScope, nearest_faces
from jobs.run import peak_memory
from jobs.run.context import Context, opened
from schemas.store import Tables
from udfs.matching import vectors_of
from udfs.search.definition import Nearest, nearest_persons
from udfs.vision import weights
from udfs.vision.embed import embedder_of
from udfs.vision.models import embedder
from udfs.vision.spec import VisionSpec

Array = np.ndarray

EMBEDDERS = {"mobilefacenet": 192, "facenet-vggface2": 512}
REAL, NIGHT, K = 2000, 10_000, 20
FIRST_DAY = date(2026, 1, 1)


def real_faces(data: Path, name: str) -> Array:
    """Embeddings of faces of LFW, float32 (n, d)."""
    spec = VisionSpec(threads=2, embedder=name, weights=(("facenet-vggface2", str(facenet(data))),))
    names = sorted({side for part in lfw.pairs(data).values() for pair in part for side in (pair.left, pair.right)})
    faces = lfw.faces(data, spec, names[:: max(1, len(names) // REAL)])
    made = embedder_of(embedder(name), spec, partial(weights.source_of, spec))
    return lfw.embed(made, [made.crop(face.image, face.found) for face in faces.values()], 2)


def put_real(context: Context, vectors: Array, day: date) -> None:
    """Faces with these embeddings, on one date."""
    columns = {"id": np.arange(len(vectors)), "embedding": pa.array(vectors.tolist(), pa.list_(pa.float32()))}
    rows = context.spark.createDataFrame(pa.table(columns))
    face_id = F.md5(F.concat(F.lit("real"), F.col("id").cast("string")))
    append_faces(context, rows, face_id=face_id, image_id=F.col("id").cast("string"), run_date=F.lit(day))


def by_definition(context: Context, queries: Array) -> list[tuple[int, str, str, float]]:
    """The K nearest faces, by the definition, a date at a time: whoever is among them is so on its date."""
    found: list[tuple[int, str, str, float]] = []
    faces = context.tables.read("faces")
    for row in faces.select("run_date").distinct().collect():
        table = faces.where(F.col("run_date") == F.lit(row.run_date)).select("face_id", "embedding").toArrow()
        names = table["face_id"].to_pylist()
        found += nearest_persons(queries, vectors_of(table["embedding"]), names, names, K, -1.0).rows()
    found.sort(key=lambda each: (each[0], -each[3], each[1]))
    return [each for query in range(len(queries)) for each in [one for one in found if one[0] == query][:K]]


def measured(
    context: Context, vectors: Array, dimension: int, faces: int, dates: int, rounds: int
) -> dict[str, object]:
    """Figures of one dimension."""
    put_contract(context, dimension)
    a_date = -(-faces // dates)
    day = F.date_add(F.lit(FIRST_DAY), (F.col("id") / a_date).cast("int"))
    put_real(context, vectors, FIRST_DAY)
    drawn = faces - len(vectors)
    for first in range(0, drawn, 200_000):
        put_faces(context, first, min(drawn, first + 200_000), day, faces // 5, dimension)
    queries, everything = vectors[:: len(vectors) // 10][:10], SearchScope()
    one = queries[:1]

    def ask(asked: Array = one) -> Nearest:
        near = nearest_faces(context, CONTRACT, asked, K, everything).near
        face = near["face_id"].to_numpy(zero_copy_only=False)
        return Nearest(near["query"].to_numpy(), face, face, near["similarity"].to_numpy())

    with watched() as memory:
        everything_packed, _ = timed(ask)
    packing_mib = memory["mib"]
    with watched() as memory:
        timings = alternate({"one face": ask, "ten faces": lambda: ask(queries)}, rounds)
    found = timings["ten faces"].result
    assert isinstance(found, Nearest)
    night = FIRST_DAY + timedelta(days=dates)
    put_faces(context, drawn, drawn + NIGHT, F.lit(night), faces // 5, dimension)
    with_night, _ = timed(ask)
    return {
        "dimension": dimension,
        "faces": faces,
        "dates": dates,
        "real": len(vectors),
        "first_question": round(everything_packed, 2),
        "one_face": round(timings["one face"].median, 2),
        "ten_faces": round(timings["ten faces"].median, 2),
        "after_a_night": round(with_night, 2),
        "packed_share": round(
            (with_night - timings["one face"].median) / (everything_packed - timings["one face"].median), 3
        ),
        "packing_worker_mib": round(packing_mib),
        "worker_mib": round(memory["mib"]),
        "driver_mib": peak_memory.peaks(context.spark)["driver_peak_mib"],
        "exact": found.rows() == by_definition_without(context, queries, night),
    }


def by_definition_without(context: Context, queries: Array, night: date) -> list[tuple[int, str, str, float]]:
    """The answer before the last night."""
    context.tables.delete_where("faces", F.col("run_date") == F.lit(night))
    return by_definition(context, queries)


@click.command(help=__doc__)
@data_option
@click.option("--faces", default=1_000_000, show_default=True)
@click.option("--dates", default=100, show_default=True)
@click.option("--rounds", default=3, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Cores of Spark.")
def main(data: Path, faces: int, dates: int, rounds: int, threads: int) -> None:
    found = []
    vectors = {name: real_faces(data, name) for name in EMBEDDERS}
    with (
        TemporaryDirectory() as folder,
        opened("bench", tables=f"{folder}/tables", master=f"local[{threads}]") as context,
    ):
        for name, dimension in EMBEDDERS.items():
            tables = Tables(context.spark, f"{folder}/{name}", None)
            made = replace(context, tables=tables, log=logging.Logger("benchmark", logging.CRITICAL))
            found.append(measured(made, vectors[name], dimension, faces, dates, rounds))
            print(found[-1], flush=True)
    slowest = max(found, key=lambda of: of["one_face"])  # type: ignore[arg-type,return-value]
    suffix = "" if dates == 100 else f"-{dates}-dates"
    print(f"written to {save(f'seen{suffix}', {'threads': threads, 'k': K, 'measured': found})}")
    print(
        f"seen: seconds={slowest['one_face']} packed_share={max(of['packed_share'] for of in found)}"  # type: ignore[type-var]
        f" exact={all(of['exact'] for of in found)} isa={isa()}"
    )


if __name__ == "__main__":
    main()
