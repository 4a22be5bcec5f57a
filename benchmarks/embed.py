"""The job `embed` on Spark against the bare stream on as many cores.

python -m benchmarks.embed --data FOLDER
"""

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
from jobs.options import Context, opened
from schemas.store import Tables
from udfs.vision.pipeline import FacePipeline


def listed(made: Context, lake: Path, folder: Path, times: int) -> Iterator[Context]:
    """Fresh tables with the images of a lake listed and none embedded, so many times."""
    contexts = []
    for number in range(times):
        tables = Tables(made.spark, str(folder / f"tables-{number}"), None)
        contexts.append(replace(made, tables=tables, say=lambda _: None))
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
            spec = made.settings.spec()
            pipeline = FacePipeline(replace(spec, threads=threads))
            fresh = listed(made, paths[0].parent, folder, rounds + 1)

            def stream() -> int:
                return sum(len(outcome.faces) for _, outcome in pipeline.run((path, path.read_bytes) for path in paths))

            def on_spark() -> int:
                return embed(next(fresh), all_pending=True)["faces_found"]

            # The untimed round starts Spark's workers, which keep their models.
            timings = alternate({"bare stream": stream, "embed on Spark": on_spark}, rounds)
    bare, spark = timings["bare stream"], timings["embed on Spark"]
    if bare.result != spark.result:
        raise RuntimeError(f"{bare.result} faces in the stream, and {spark.result} on Spark")
    speeds = {what: round(len(photos) / timing.median, 2) for what, timing in timings.items()}
    share = round(bare.median / spark.median, 3)
    figures: dict[str, object] = {
        "photos": len(photos),
        "faces": bare.result,
        "precision": spec.precision,
        "threads": threads,
        "images_per_second": speeds,
        "share": share,
    }
    print(f"{len(photos)} photos, {bare.result} faces, {spec.precision}, {threads} cores")
    for what, speed in speeds.items():
        print(f"{what:16} {speed:8.1f} images/s")
    print(f"written to {save('embed', figures)}")
    print(f"embed: share={share} images_per_second={speeds['embed on Spark']} isa={isa()}")


if __name__ == "__main__":
    main()
