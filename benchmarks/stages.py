"""Where the stream's time goes, and what share of the models' raw speed it reaches.

python -m benchmarks.stages --data FOLDER
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import click
import numpy as np

from benchmarks import data as photos_of
from benchmarks.data import data_option, facenet
from benchmarks.rounds import alternate, isa, save
from udfs.vision.decode import Picture, decode
from udfs.vision.detect import Detection
from udfs.vision.embed import Crops
from udfs.vision.finding import limits
from udfs.vision.pipeline import FacePipeline
from udfs.vision.quality import quality
from udfs.vision.spec import VisionSpec
from udfs.vision.speed import settled
from udfs.vision.views import whole

Array = np.ndarray
Result = TypeVar("Result")


class Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], Result]) -> Result:
        """Do the work, and note how long it took."""
        began = time.perf_counter()
        result = work()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began
        return result


def step_by_step(pipeline: FacePipeline, paths: list[Path]) -> tuple[Stopwatch, list[Array], list[Crops]]:
    """The stages one after the other; also the canvases and crops, for the models alone."""
    spec, watch = pipeline.spec, Stopwatch()
    decoded = limits(spec, pipeline.detector)
    canvases: list[Array] = []
    crops: list[Crops] = []
    for path in paths:
        content = watch.time("read", path.read_bytes)
        picture = watch.time("decode", lambda content=content: decode(content, decoded))  # type: ignore[misc]
        canvas, scale = watch.time("reduce", lambda picture=picture: _canvas(pipeline, picture))  # type: ignore[misc]
        (found,) = watch.time("detect", lambda canvas=canvas: pipeline.detector.detect(canvas))  # type: ignore[misc]
        canvases.append(canvas)
        faces: list[Detection] = [face.scaled(scale, scale) for face in found]
        cut = watch.time(
            "crop",
            lambda picture=picture, faces=faces: [pipeline.embedder.crop(picture.image, face) for face in faces],  # type: ignore[misc]
        )
        watch.time("quality", lambda cut=cut, faces=faces: list(map(quality, cut, faces)))  # type: ignore[misc]
        crops += cut
    watch.time("embed", lambda: pipeline.embedder.embed(crops))
    return watch, canvases, crops


def _canvas(pipeline: FacePipeline, picture: Picture) -> tuple[Array, float]:
    size, side = (picture.width, picture.height), pipeline.spec.maximum_side
    view = whole(size, pipeline.detector.scale, side).views[0].seen(picture.image)
    canvas = np.zeros((1, *pipeline.detector.canvas(view.shape[1], view.shape[0]), 3), np.uint8)
    canvas[0, : view.shape[0], : view.shape[1]] = view
    return canvas, picture.image.width / view.shape[1]


@click.command(help=__doc__)
@data_option
@click.option("--rounds", default=3, show_default=True, help="Timed rounds.")
@click.option("--threads", default=2, show_default=True, help="Threads the models compute on.")
def main(data: Path, rounds: int, threads: int) -> None:
    photos = [*photos_of.wider(data), *photos_of.lfw(data, 300), *photos_of.photos(data)]
    files = (("facenet-vggface2", str(facenet(data))),)
    pipeline = FacePipeline(settled(VisionSpec(precision="fastest", threads=threads, weights=files)))
    precision = pipeline.spec.precision
    with TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.jpg" for number in range(len(photos))]
        for path, photo in zip(paths, photos, strict=True):
            path.write_bytes(photo.content)
        step_by_step(pipeline, paths)  # warm
        watch, canvases, crops = step_by_step(pipeline, paths)

        def raw() -> None:
            size = pipeline.spec.batch_size
            batches = [crops[start : start + size] for start in range(0, len(crops), size)]
            with ThreadPoolExecutor(threads) as pool:
                searched = pool.map(pipeline.detector.detect, canvases)
                embedded = pool.map(pipeline.embedder.embed, batches)
                list(searched), list(embedded)

        def stream() -> int:
            return sum(len(outcome.faces) for _, outcome in pipeline.run((path, path.read_bytes) for path in paths))

        timings = alternate({"models alone": raw, "stream": stream}, rounds)
    total = sum(watch.seconds.values())
    print(
        f"\n{len(photos)} photos, {len(crops)} faces, {precision}, {threads} threads, {isa()};"
        " one after the other, on one thread:"
    )
    for stage, seconds in watch.seconds.items():
        print(f"{stage:8} {1000 * seconds / len(photos):8.2f} ms an image {seconds / total:7.1%}")
    share = timings["models alone"].median / timings["stream"].median
    figures: dict[str, object] = {
        "photos": len(photos),
        "faces": len(crops),
        "precision": precision,
        "threads": threads,
        "ms_per_image": {stage: round(1000 * seconds / len(photos), 3) for stage, seconds in watch.seconds.items()},
        "images_per_second": round(len(photos) / timings["stream"].median, 2),
        "share": round(share, 3),
    }
    print(f"written to {save('stages', figures)}")
    print(f"stages: share={share:.3f} images_per_second={len(photos) / timings['stream'].median:.1f} isa={isa()}")


if __name__ == "__main__":
    main()
