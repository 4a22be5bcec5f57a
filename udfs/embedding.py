"""Arrow in, Arrow out: images to outcomes with faces."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from itertools import islice

import numpy as np
import pyarrow as pa

from udfs import lake
from udfs.arrow import BatchFunction, RecordBatches
from udfs.ids import face_id
from udfs.lake import File, ReadError
from udfs.records import BOX, FACE, OUTCOME, POINT, QUALITY
from udfs.vision.pipeline import Face, FacePipeline, ImageOutcome, Read
from udfs.vision.spec import VisionSpec

Array = np.ndarray


def embed_images(spec: VisionSpec, contract_id: str, settings_id: str) -> BatchFunction:
    """Images (inventory.IMAGE, perhaps with `content`) -> their outcomes (OUTCOME), one row an image."""

    agreed = replace(spec, contract_id=contract_id)  # an executor that computes another refuses to work

    def embed(batches: RecordBatches) -> RecordBatches:
        pipeline = _pipeline(on_this_executor(agreed))
        waiting: deque[int] = deque()

        def images() -> Iterator[tuple[object, Read]]:
            for batch in batches:
                if batch.num_rows:
                    waiting.append(batch.num_rows)
                for row in batch.to_pylist():
                    yield row["image_id"], partial(content_of, row, spec.maximum_bytes)

        results = pipeline.run(images())
        for first in results:
            rows = [first, *islice(results, waiting.popleft() - 1)]
            yield _to_arrow(rows, contract_id, settings_id)

    return embed


@lru_cache(maxsize=1)
def _pipeline(spec: VisionSpec) -> FacePipeline:
    """A worker keeps its models from task to task."""
    return FacePipeline(spec)


def on_this_executor(spec: VisionSpec) -> VisionSpec:
    """The specification for this task: with the GPU that Spark assigned to it, if it is to run on GPUs.

    Where CUDA_VISIBLE_DEVICES is set, its one device has index 0; else the address is the index.
    """
    if spec.device != "cuda":
        return spec
    import os

    from pyspark import TaskContext

    task = TaskContext.get()
    gpus = task.resources().get("gpu") if task else None
    index = 0 if os.environ.get("CUDA_VISIBLE_DEVICES") or gpus is None else int(gpus.addresses[0])
    return replace(spec, device=f"cuda:{index}")


def content_of(row: dict[str, object], maximum_bytes: int) -> bytes:
    """The bytes of an image: those that its row carries as `content`, else of its file.

    Raises:
        ReadError: they cannot be had.
    """
    if "content" in row:
        return _carried(row["content"], maximum_bytes)
    file = File(row["uri"], row["size"], row["modified_us"], row["regular"])  # type: ignore[arg-type]
    return lake.read(file, maximum_bytes)


def _carried(content: object, maximum_bytes: int) -> bytes:
    if content is None:
        raise ReadError("gone", "the source table no longer has its bytes")
    assert isinstance(content, bytes)
    if not content:
        raise ReadError("empty", "it has no bytes")
    if len(content) > maximum_bytes:
        raise ReadError("too_large", f"{len(content):,} bytes; vision.maximum_bytes is {maximum_bytes:,}")
    return content


def _to_arrow(rows: list[tuple[object, ImageOutcome]], contract_id: str, settings_id: str) -> pa.RecordBatch:
    outcomes = [outcome for _, outcome in rows]
    ids = [str(key) for key, _ in rows]
    found = [
        (face_id(image, contract_id, settings_id, ordinal), ordinal, face)
        for image, outcome in zip(ids, outcomes, strict=True)
        for ordinal, face in enumerate(outcome.faces)
    ]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(ids),
            pa.array([outcome.outcome for outcome in outcomes]),
            pa.array([outcome.detail for outcome in outcomes]),
            pa.array([outcome.content_sha256 for outcome in outcomes], pa.string()),
            pa.array([outcome.width for outcome in outcomes], pa.int32()),
            pa.array([outcome.height for outcome in outcomes], pa.int32()),
            pa.array([outcome.captured_at for outcome in outcomes], pa.timestamp("us", tz="UTC")),
            _lists([len(outcome.faces) for outcome in outcomes], _faces(found), FACE),
            pa.array([_liveness(outcome.faces) for outcome in outcomes], OUTCOME.field("liveness").type),
        ],
        schema=OUTCOME,
    )


def _liveness(faces: list[Face]) -> list[float | None] | None:
    said = [face.liveness for face in faces]
    return said if any(each is not None for each in said) else None


def _faces(found: list[tuple[str, int, Face]]) -> pa.Array:
    if not found:
        return pa.array([], FACE)
    names, ordinals, faces = zip(*found, strict=True)
    columns = {
        "face_id": pa.array(names),
        "ordinal": pa.array(ordinals, pa.int32()),
        "box": _structs(np.stack([face.box for face in faces]), BOX),
        "landmarks": _lists([5] * len(faces), _structs(np.concatenate([f.landmarks for f in faces]), POINT), POINT),
        "score": pa.array([face.score for face in faces], pa.float64()),
        "quality": pa.array([vars(face.quality) for face in faces], QUALITY),
        "embedding": _lists(
            [len(face.embedding) for face in faces],
            pa.array(np.concatenate([face.embedding for face in faces]), pa.float32()),
            pa.float32(),
        ),
    }
    return pa.StructArray.from_arrays([columns[field.name] for field in FACE], fields=list(FACE))


def _structs(values: Array, kind: pa.StructType) -> pa.Array:
    return pa.StructArray.from_arrays([pa.array(column) for column in values.T], fields=list(kind))


def _lists(lengths: list[int], values: pa.Array, kind: pa.DataType) -> pa.Array:
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=pa.list_(kind))
