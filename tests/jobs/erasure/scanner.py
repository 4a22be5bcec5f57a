"""A scanner of its own: looks for texts and vectors in every file below a folder, by other means than the product."""

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq

Array = np.ndarray


def found_below(root: Path, texts: Sequence[str], vectors: Array) -> list[str]:
    """Where a text or vector is found: in the bytes of a file, in those bytes decompressed, or in a value."""
    return [
        f"{each} in {path.relative_to(root)}"
        for path in sorted(path for path in root.rglob("*") if path.is_file())
        for each in (*in_bytes(path.read_bytes(), texts, vectors), *in_values(path, texts, vectors))
    ]


def in_bytes(content: bytes, texts: Sequence[str], vectors: Array) -> Iterator[str]:
    for blob in (content, *unpacked(content)):
        yield from (f"{text} as bytes" for text in texts if text.encode() in blob)
        for number, vector in enumerate(vectors):
            for kind in ("<f4", ">f4", "<f8"):
                if vector.astype(kind)[:6].tobytes() in blob:
                    yield f"vector {number} as {kind}"
            if quantised(vector).tobytes()[:12] in blob:
                yield f"vector {number} as codes"


def in_values(path: Path, texts: Sequence[str], vectors: Array) -> Iterator[str]:
    if path.suffix == ".parquet" and not path.name.startswith("."):
        for reader in (values_by_pyarrow, values_by_polars):
            yield from of_values(reader(path), texts, vectors)
    if path.suffix == ".arrow":
        table = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
        yield from of_values(table.to_pylist(), texts, vectors)
    if path.name == "vectors.npy":
        yield from of_values(np.load(path).tolist(), texts, vectors)
    if path.name == "panels.npy":
        panels = (np.load(path).astype(np.int16) - 128).astype(np.int8)
        rows = np.concatenate([panel.transpose(1, 0, 2).reshape(32, -1) for panel in panels])
        for number, vector in enumerate(vectors):
            if (rows[:, : len(vector)] == quantised(vector)).all(axis=1).any():
                yield f"vector {number} as codes, among those that are searched"


def unpacked(content: bytes) -> Iterator[bytes]:
    for unpack in (zlib.decompress, gzip.decompress, lambda of: pa.decompress(of, len(of) * 50, codec="zstd")):
        try:
            yield bytes(unpack(content))
        except (zlib.error, OSError, EOFError, ValueError, pa.ArrowInvalid):
            continue


def quantised(vector: Array) -> Array:
    scale = np.float32(np.abs(vector).max() / np.float32(127))
    return np.clip(np.rint(vector.astype(np.float64) / np.float64(scale)), -127, 127).astype(np.int8)


def values_by_pyarrow(path: Path) -> object:
    return pq.read_table(path, partitioning=None).to_pylist()


def values_by_polars(path: Path) -> object:
    return polars.read_parquet(path, hive_partitioning=False).to_dicts()


def of_values(value: object, texts: Sequence[str], vectors: Array) -> Iterator[str]:
    if isinstance(value, str):
        yield from (f"{text} as a value" for text in texts if text in value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from of_values(inner, texts, vectors)
    elif isinstance(value, list | tuple):
        if value and all(isinstance(each, float) for each in value):
            row = np.array(value, np.float32)
            for number, vector in enumerate(vectors):
                if row.shape == vector.shape and np.array_equal(row, vector):
                    yield f"vector {number} as a value"
        else:
            for inner in value:
                yield from of_values(inner, texts, vectors)
