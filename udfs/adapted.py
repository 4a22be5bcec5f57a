"""Faces of an embedder become those of an adapter behind it: Arrow in, Arrow out, and no image is opened."""

import numpy as np
import pyarrow as pa

from udfs.arrow import BatchFunction, RecordBatches
from udfs.ids import face_id
from udfs.records import FACE
from udfs.vision.adapter import Adapter


def adapt_faces(adapter: Adapter, contract_id: str, settings_id: str) -> BatchFunction:
    """Rows with `image_id` and `faces` (a list of records.FACE, null where there are none) -> the same rows, each face
    with the adapted embedding and the id that it has under the adapter's contract."""

    def adapt(batches: RecordBatches) -> RecordBatches:
        for batch in batches:
            at = batch.schema.get_field_index("faces")
            faces = _adapted(batch.column("image_id"), batch.column("faces"), adapter, contract_id, settings_id)
            yield batch.set_column(at, batch.schema.field(at), faces.cast(batch.schema.field(at).type))

    return adapt


def _adapted(
    images: pa.StringArray, lists: pa.ListArray, adapter: Adapter, contract_id: str, settings_id: str
) -> pa.ListArray:
    faces = lists.flatten()
    if not len(faces):
        return lists
    of_face = images.take(lists.value_parent_indices()).to_pylist()
    ordinals = faces.field("ordinal").to_pylist()
    vectors = faces.field("embedding").flatten().to_numpy(zero_copy_only=False).reshape(len(faces), -1)
    moved = adapter(vectors.astype(np.float32))
    ids = [face_id(image, contract_id, settings_id, ordinal) for image, ordinal in zip(of_face, ordinals, strict=True)]
    each = np.arange(0, moved.size + 1, moved.shape[1], dtype=np.int32)
    new = {
        "face_id": pa.array(ids),
        "embedding": pa.ListArray.from_arrays(pa.array(each), pa.array(moved.ravel()), type=pa.list_(pa.float32())),
    }
    columns = [new.get(field.name, faces.field(field.name)) for field in FACE]
    fields = [pa.field(field.name, column.type) for field, column in zip(FACE, columns, strict=True)]
    lengths = np.nan_to_num(lists.value_lengths().to_numpy(zero_copy_only=False)).astype(np.int64)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(columns, fields=fields), mask=lists.is_null())
