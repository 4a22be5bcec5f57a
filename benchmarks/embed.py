"""The job `embed` on Spark against the bare stream on as many cores, start-up aside.

python -m benchmarks.embed --data FOLDER
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from benchmarks import data as photos_of
from benchmarks.data import data_option, facenet
from benchmarks.rounds import alternate, isa, save
from jobs.embed import embed
from jobs.ingest import ingest
from jobs.run.context import Context, opened
from schemas.store import Tables
from udfs.vision.pipeline import FacePipeline
from udfs.vision.speed import settled


def listed(made: Context, lake: Path, folder: Path, times: int) -> Iterator[Context]:
    """Fresh tables with the images of a lake listed and none embedded, so many times."""
    contexts = []
    for number in range(times):
        tables = Tables(made.spark, str(folder / f"tables-{number}"), None)
        contexts.append(replace(made, tables=tables, log=logging.Logger("benchmark", logging.CRITICAL)))
        ingest(contexts[-1], source=str(lake))
    return iter(contexts)


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=3, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Cores of Spark; threads of the bare stream.")
@click.option("--copies", default=10, show_default=True, help="Of each photo: a night is longer than a commit.")
def main(data: Path, rounds: int, threads: int, copies: int) -> None:
    photos = copies * [*photos_of.wider(data), *photos_of.lfw(data, 300), *photos_of.photos(data)]
    changes = (f"weights.facenet-vggface2={facenet(data)}",)
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = [folder / "lake" / f"{number}.jpg" for number in range(len(photos))]
        paths[0].parent.mkdir()
        for path, photo in zip(paths, photos, strict=True):
            path.write_bytes(photo.content)
        with opened("bench", tables=str(folder / "tables"), changes=changes, master=f"local[{threads}]") as made:
            spec = settled(made.settings.spec())
            pipeline = FacePipeline(replace(spec, threads=threads))
            done: list[Context] = []
            fresh = listed(made, paths[0].parent, folder, rounds + 1)

            def stream() -> int:
                return sum(len(outcome.faces) for _, outcome in pipeline.run((path, path.read_bytes) for path in paths))

            def on_spark() -> int:
                done.append(next(fresh))
                return embed(done[-1], all_pending=True)["faces_found"]

            def nothing_pending() -> int:
                return embed(done[-1], all_pending=True)["pending"]

            # The untimed round starts Spark's workers, which keep their models.
            timings = alternate(
                {"bare stream": stream, "embed on Spark": on_spark, "nothing pending": nothing_pending}, rounds
            )
    bare, spark, start = (timings[name] for name in ("bare stream", "embed on Spark", "nothing pending"))
    if bare.result != spark.result:
        raise RuntimeError(f"{bare.result} faces in the stream, and {spark.result} on Spark")
    # What a run takes that finds nothing to do is its start; the rest is work.
    seconds = {"bare stream": bare.median, "embed on Spark": spark.median - start.median}
    speeds = {what: round(len(photos) / taken, 2) for what, taken in seconds.items()}
    share = round(seconds["bare stream"] / seconds["embed on Spark"], 3)
    figures: dict[str, object] = {
        "photos": len(photos),
        "faces": bare.result,
        "precision": spec.precision,
        "threads": threads,
        "images_per_second": speeds,
        "start_up_seconds": round(start.median, 2),
        "share": share,
    }
    print(
        f"{len(photos)} photos, {bare.result} faces, {spec.precision}, {threads} cores; start-up {start.median:.1f} s"
    )
    for what, speed in speeds.items():
        print(f"{what:16} {speed:8.1f} images/s")
    print(f"written to {save('embed', figures)}")
    print(f"embed: share={share} images_per_second={speeds['embed on Spark']} isa={isa()}")


if __name__ == "__main__":
    main()
