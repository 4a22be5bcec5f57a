"""What a worker holds at most: large photos in a row, of each format.

python -m benchmarks.memory --data FOLDER
"""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from PIL import Image

from benchmarks.data import data_option, facenet, photos
from benchmarks.rounds import isa, save
from udfs.vision.detect import Detection

if TYPE_CHECKING:
    from udfs.vision.pipeline import FacePipeline

_COUNT = 20


@dataclass(frozen=True)
class Form:
    """A format, and how its photos are written. size: width and height in pixels."""

    size: tuple[int, int]
    name: str
    options: dict[str, object] = field(default_factory=dict)


_LARGE, _MEDIUM = (8_660, 5_774), (5_200, 3_900)  # 50 and 20 megapixels
FORMS = {
    "jpeg": Form(_LARGE, "JPEG", {"quality": 90}),
    "progressive": Form((8_000, 10_000), "JPEG", {"quality": 90, "progressive": True}),
    "telephone": Form((12_000, 9_000), "JPEG", {"quality": 85}),
    "cmyk": Form(_MEDIUM, "JPEG CMYK", {"quality": 90}),
    "png": Form(_LARGE, "PNG", {"compress_level": 1}),
    "png16": Form(_MEDIUM, "PNG16"),
    "tiff": Form(_MEDIUM, "TIFF", {"compression": "tiff_lzw"}),
    "webp": Form(_MEDIUM, "WEBP", {"method": 0}),
    "jpeg2000": Form(_MEDIUM, "JPEG2000", {"irreversible": True, "quality_layers": [20]}),
    "heif": Form(_MEDIUM, "HEIF", {"quality": 60}),
    "avif": Form(_MEDIUM, "AVIF", {"speed": 10}),
    "gif": Form(_MEDIUM, "GIF"),
    "bmp": Form(_MEDIUM, "BMP"),
    "ppm": Form(_MEDIUM, "PPM"),
}


def large(data: Path, form: Form) -> bytes:
    """A photo with faces of 60 to 100 pixels in a corner of many megapixels of noise."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    group = Image.open(io.BytesIO(next(p.content for p in photos(data) if p.name == "multiface.jpg"))).convert("RGB")
    columns, rows = form.size
    grain = np.random.default_rng(0).integers(0, 60, (rows // 8, columns // 8, 3), np.uint8)
    picture = Image.fromarray(grain).resize(form.size)
    picture.paste(group.resize((group.width * 3, group.height * 3)), (500, 500))
    if form.name == "PNG16":
        import imagecodecs

        return bytes(imagecodecs.png_encode(np.asarray(picture).astype(np.uint16) * 257, level=1))
    name, _, mode = form.name.partition(" ")
    content = io.BytesIO()
    picture.convert(mode or "RGB").save(content, name, **form.options)
    return content.getvalue()


def anonymous() -> float:
    """Anonymous resident memory of this process, MiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("/proc/self/status has no RssAnon; this benchmark needs Linux")


def compute_once(pipeline: "FacePipeline") -> None:
    """Have each thread's models allocate what they compute in, for the largest canvas there is."""
    side = round(pipeline.spec.maximum_side * pipeline.detector.scale)
    canvas = np.zeros((1, *pipeline.detector.canvas(side, side), 3), np.uint8)
    portrait = Image.new("RGB", (400, 400))
    points = np.array([[160, 180], [240, 180], [200, 220], [170, 260], [230, 260]], float)
    face = Detection(np.array([120.0, 120.0, 280.0, 300.0]), points, 1.0)
    crops = [pipeline.embedder.crop(portrait, face)] * pipeline.spec.batch_size
    all_started = threading.Barrier(pipeline.spec.threads)

    def compute() -> None:
        all_started.wait()
        pipeline.detector.detect(canvas)
        pipeline.embedder.embed(crops)

    with ThreadPoolExecutor(pipeline.spec.threads) as pool:
        for future in [pool.submit(compute) for _ in range(pipeline.spec.threads)]:
            future.result()


def work(content: bytes, weights: Path, memory: int, threads: int, told: "Queue[dict[str, Any]]") -> None:
    """Run the stream in this process; tell what it held before, at most, and for how many faces."""
    from udfs.vision.pipeline import FacePipeline
    from udfs.vision.spec import VisionSpec
    from udfs.vision.speed import settled

    files = (("facenet-vggface2", str(weights)),)
    spec = settled(VisionSpec(precision="fastest", threads=threads, memory=memory, weights=files))
    pipeline = FacePipeline(spec)
    compute_once(pipeline)
    models, most, done = anonymous(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.01):
            most = max(most, anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    faces, said = 0, ""
    for _, outcome in pipeline.run((number, partial(bytes, content)) for number in range(_COUNT)):
        faces, said = faces + len(outcome.faces), f"{outcome.outcome} {outcome.detail}"
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    found = {"models": models, "most": most, "faces": faces, "seconds": seconds, "content": len(content) / 2**20}
    told.put({**found, "said": said})


def from_worker(told: "Queue[dict[str, Any]]", worker: BaseProcess) -> dict[str, Any]:
    """What a worker tells in the end.

    Raises:
        RuntimeError: it has died.
    """
    while True:
        try:
            return told.get(timeout=1)
        except Empty:
            if not worker.is_alive():
                raise RuntimeError(f"the worker has died: exit code {worker.exitcode}") from None


@click.command(help=__doc__)
@data_option
@click.option("--memory", default=512, show_default=True, help="The budget, MiB.")
@click.option("--threads", default=2, show_default=True)
def main(data: Path, memory: int, threads: int) -> None:
    spawn = get_context("spawn")
    figures: dict[str, object] = {"budget_mib": memory, "images": _COUNT, "threads": threads}
    worst = 0.0
    for name, form in FORMS.items():
        told: Queue[dict[str, Any]] = spawn.Queue()
        worker = spawn.Process(target=work, args=(large(data, form), facenet(data), memory * 2**20, threads, told))
        worker.start()
        found = from_worker(told, worker)
        worker.join()
        pictures = found["most"] - found["models"]
        worst = max(worst, pictures)
        figures[name] = {key: round(value, 1) if isinstance(value, float) else value for key, value in found.items()}
        print(
            f"{name}: {_COUNT} x {form.size[0] * form.size[1] / 1e6:.0f} MP ({found['content']:.1f} MiB a file),"
            f" {found['faces']:.0f} faces: {found['models']:.0f} MiB with the models loaded, {found['most']:.0f} at"
            f" most, {pictures:.0f} for pictures; {found['seconds'] / _COUNT:.2f} s an image; {found['said']}"
        )
    print(f"written to {save('memory', figures)}")
    print(f"memory: budget={memory} MiB pictures={worst:.0f} MiB ratio={worst / memory:.2f} isa={isa()}")


if __name__ == "__main__":
    main()
