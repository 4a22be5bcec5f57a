"""What a worker holds at most: 100 photos of 50 megapixels in a row, of each of two formats.

python -m benchmarks.memory --data FOLDER
"""

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np
from PIL import Image

from benchmarks.data import data_option, facenet, photos
from benchmarks.rounds import isa, save

if TYPE_CHECKING:
    from udfs.vision.pipeline import FacePipeline

_SIZE = (8_660, 5_774)  # 50 megapixels
_COUNT = 100


def large(data: Path, form: str) -> bytes:
    """A photo with faces of 60 to 100 pixels in a corner of 50 megapixels of noise."""
    group = Image.open(io.BytesIO(next(p.content for p in photos(data) if p.name == "multiface.jpg"))).convert("RGB")
    grain = np.random.default_rng(0).integers(0, 60, (_SIZE[1] // 8, _SIZE[0] // 8, 3), np.uint8)
    picture = Image.fromarray(grain).resize(_SIZE)
    picture.paste(group.resize((group.width * 3, group.height * 3)), (500, 500))
    content = io.BytesIO()
    picture.save(content, form, **({"quality": 90} if form == "JPEG" else {"compress_level": 1}))
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
    canvas = np.zeros((1, *pipeline.detector.canvas(side, round(side * _SIZE[1] / _SIZE[0])), 3), np.uint8)
    crops = [(np.zeros((pipeline.embedder.side, pipeline.embedder.side, 3), np.uint8),)] * pipeline.spec.batch_size
    all_started = threading.Barrier(pipeline.spec.threads)

    def compute() -> None:
        all_started.wait()
        pipeline.detector.detect(canvas)
        pipeline.embedder.embed(crops)

    with ThreadPoolExecutor(pipeline.spec.threads) as pool:
        for future in [pool.submit(compute) for _ in range(pipeline.spec.threads)]:
            future.result()


def work(content: bytes, weights: Path, memory: int, threads: int, told: "Queue[dict[str, float]]") -> None:
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
    faces = sum(
        len(outcome.faces) for _, outcome in pipeline.run((number, partial(bytes, content)) for number in range(_COUNT))
    )
    seconds = time.perf_counter() - began
    done.set()
    watcher.join()
    told.put({"models": models, "most": most, "faces": faces, "seconds": seconds, "content": len(content) / 2**20})


@click.command(help=__doc__)
@data_option
@click.option("--memory", default=512, show_default=True, help="The budget, MiB.")
@click.option("--threads", default=2, show_default=True)
def main(data: Path, memory: int, threads: int) -> None:
    spawn = get_context("spawn")
    figures: dict[str, object] = {"budget_mib": memory, "images": _COUNT, "threads": threads}
    worst = 0.0
    for form in ("JPEG", "PNG"):
        told: Queue[dict[str, float]] = spawn.Queue()
        worker = spawn.Process(target=work, args=(large(data, form), facenet(data), memory * 2**20, threads, told))
        worker.start()
        found = told.get(timeout=3600)
        worker.join()
        pictures = found["most"] - found["models"]
        worst = max(worst, pictures)
        figures[form] = {name: round(value, 1) for name, value in found.items()}
        print(
            f"{form}: {_COUNT} x 50 MP ({found['content']:.1f} MiB a file), {found['faces']:.0f} faces:"
            f" {found['models']:.0f} MiB with the models loaded, {found['most']:.0f} at most, {pictures:.0f} for"
            f" pictures; {found['seconds'] / _COUNT:.2f} s an image"
        )
    print(f"written to {save('memory', figures)}")
    print(f"memory: budget={memory} MiB pictures={worst:.0f} MiB ratio={worst / memory:.2f} isa={isa()}")


if __name__ == "__main__":
    main()
