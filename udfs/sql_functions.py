"""Functions of SQL that compute with models, or search: Arrow arrays and batches in and out."""

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from udfs import records
from udfs.embedding import embed_images
from udfs.matching import CANDIDATE, search_all
from udfs.vision import thumbnails
from udfs.vision.decode import decode
from udfs.vision.rejection import RejectedError
from udfs.vision.spec import VisionSpec

if TYPE_CHECKING:
    from udfs.search.packed import Packed

EMBEDDING = pa.list_(pa.float32())


def embed_face(
    spec: VisionSpec, contract_id: str, settings_id: str
) -> Callable[[Iterator[pa.Array]], Iterator[pa.Array]]:
    """(content) the bytes of images -> the embedding of the largest face of each (EMBEDDING); null without one."""
    embed = embed_images(spec, contract_id, settings_id)

    def of_contents(contents: Iterator[pa.Array]) -> Iterator[pa.Array]:
        for content in contents:
            names = pa.array([str(at) for at in range(len(content))])
            images = pa.RecordBatch.from_arrays([names, content.cast(pa.binary())], ["image_id", "content"])
            outcomes = [row for batch in embed(iter([images])) for row in batch.to_pylist()]
            yield pa.array([_largest(outcome) for outcome in outcomes], EMBEDDING)

    return of_contents


def _largest(outcome: dict[str, Any]) -> list[float] | None:
    faces = sorted(outcome["faces"] or [], key=lambda face: (-face["quality"]["size"], face["ordinal"]))
    return faces[0]["embedding"] if faces else None


def face_crop(content: pa.Array, box: pa.Array) -> pa.Array:
    """The bytes of images and boxes in them -> each face as a JPEG; null where one is null or cannot be read."""
    pairs = zip(content.to_pylist(), box.to_pylist(), strict=True)
    return pa.array([_crop(image, where) for image, where in pairs], pa.binary())


def _crop(content: bytes | None, box: dict[str, float] | None) -> bytes | None:
    if content is None or box is None:
        return None
    try:
        picture = decode(content, thumbnails.SHOWN)
    except RejectedError:
        return None
    return thumbnails.face(picture, records.edges(box))


def nearest_persons(packed: "Packed") -> type:
    """A table function: a table with face_id and embedding, and k -> the k nearest persons of each face (CANDIDATE)."""

    class NearestPersons:
        def eval(self, faces: pa.RecordBatch, k: pa.Array) -> Iterator[pa.Table]:
            asked = pa.table(
                {
                    "face_id": faces.column("face_id"),
                    "embedding": faces.column("embedding"),
                    "left_out": pa.nulls(faces.num_rows, pa.list_(pa.string())),
                }
            )
            found = list(search_all(packed, int(k[0].as_py()), -math.inf, 1)(iter(asked.to_batches())))
            yield pa.Table.from_batches(found, CANDIDATE)

    return NearestPersons
