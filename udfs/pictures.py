"""Arrow in, Arrow out: images to small pictures of faces in them."""

from collections.abc import Iterator

import pyarrow as pa

from udfs import records
from udfs.arrow import BatchFunction, RecordBatches
from udfs.embedding import content_of
from udfs.lake import ReadError
from udfs.vision import thumbnails
from udfs.vision.decode import decode
from udfs.vision.rejection import RejectedError

WANTED = pa.list_(pa.struct([("key", pa.string()), ("box", records.BOX)]))
"""What is to be cut from an image: under which name, and where; without a box the middle."""
PICTURE = pa.schema([("key", pa.string()), ("jpeg", pa.binary()), ("why", pa.string())])
"""A picture, or why there is none."""


def cut(maximum_bytes: int) -> BatchFunction:
    """Images (inventory.IMAGE, `wanted` (WANTED), and perhaps `content`) -> the pictures cut from them (PICTURE)."""

    def pictures(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            for row in batch.to_pylist():
                yield pa.RecordBatch.from_pylist(list(_cut(row, maximum_bytes)), schema=PICTURE)

    return pictures


CONTENT = pa.schema([("image_id", pa.string()), ("content", pa.binary()), ("why", pa.string())])
"""The bytes of an image, or why they cannot be had."""


def contents(maximum_bytes: int) -> BatchFunction:
    """Images (inventory.IMAGE, and perhaps `content`) -> their bytes (CONTENT)."""

    def read(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            for row in batch.to_pylist():
                content, why = None, None
                try:
                    content = content_of(row, maximum_bytes)
                except ReadError as error:
                    why = str(error)
                found = {"image_id": row["image_id"], "content": content, "why": why}
                yield pa.RecordBatch.from_pylist([found], schema=CONTENT)

    return read


def _cut(row: dict[str, object], maximum_bytes: int) -> Iterator[dict[str, object]]:
    wanted = row["wanted"]
    assert isinstance(wanted, list)
    try:
        picture = decode(content_of(row, maximum_bytes), thumbnails.SHOWN)
    except (ReadError, RejectedError) as error:  # it was read before: it has changed or gone since
        yield from ({"key": each["key"], "jpeg": None, "why": str(error)} for each in wanted)
        return
    for each in wanted:
        box = each["box"]
        edges = None if box is None else records.edges(box)
        yield {"key": each["key"], "jpeg": thumbnails.face(picture, edges), "why": None}
