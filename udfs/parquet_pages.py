"""The pages of a Parquet file, decompressed: every byte that it holds, whether a row uses it or not.

Written after the format's description (apache/parquet-format: PageHeader, in Thrift's compact protocol).
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 11, 12
_UNCOMPRESSED_SIZE, _COMPRESSED_SIZE, _V2 = 2, 3, 8
_V2_DEFINITION_BYTES, _V2_REPETITION_BYTES, _V2_IS_COMPRESSED = 5, 6, 7
_CODECS = {"SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "ZSTD": "zstd", "LZ4": "lz4_raw"}


def pages(file: pa.NativeFile, described: pq.FileMetaData) -> Iterator[bytes]:
    """The pages of all columns, dictionaries as well; and what stands behind them: indexes, which hold the smallest and
    the largest values, and the file's own description.

    Raises:
        ValueError: the file is compressed in a way that is not known here.
    """
    end = 0
    for group in range(described.num_row_groups):
        for at in range(described.num_columns):
            column = described.row_group(group).column(at)
            begin = column.data_page_offset
            if column.has_dictionary_page and column.dictionary_page_offset:
                begin = min(begin, column.dictionary_page_offset)
            file.seek(begin)
            yield from _decompressed(file.read(column.total_compressed_size), column.compression)
            end = max(end, begin + column.total_compressed_size)
    file.seek(end)
    yield file.read()


def _decompressed(chunk: bytes, compression: str) -> Iterator[bytes]:
    codec = None
    if compression != "UNCOMPRESSED":
        if compression not in _CODECS:
            raise ValueError(f"a column is compressed by {compression}, which is not known here")
        codec = pa.Codec(_CODECS[compression])
    at = 0
    while at < len(chunk):
        header, at = _struct(chunk, at)
        page = chunk[at : at + header[_COMPRESSED_SIZE]]
        at += header[_COMPRESSED_SIZE]
        levels, compressed = 0, codec is not None
        if _V2 in header:  # its levels stand before the data, and are not compressed
            of_v2 = header[_V2]
            levels = of_v2.get(_V2_DEFINITION_BYTES, 0) + of_v2.get(_V2_REPETITION_BYTES, 0)
            compressed = compressed and of_v2.get(_V2_IS_COMPRESSED, True)
        size = header[_UNCOMPRESSED_SIZE] - levels
        if codec is not None and compressed and size:
            yield page[:levels] + codec.decompress(page[levels:], size, asbytes=True)
        else:
            yield page


def _struct(data: bytes, at: int) -> tuple[dict[int, Any], int]:
    found: dict[int, Any] = {}
    number = 0
    while True:
        head = data[at]
        at += 1
        if head & 0x0F == _STOP:
            return found, at
        if head >> 4:
            number += head >> 4
        else:
            number, at = _integer(data, at)
        found[number], at = _value(data, at, head & 0x0F)


def _value(data: bytes, at: int, kind: int) -> tuple[Any, int]:
    """A value, None of a kind that nothing here asks for; and where the next one begins."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind == _STRUCT:
        return _struct(data, at)
    if kind in (_BYTE, _DOUBLE, _BINARY, _LIST, _SET):
        return None, _after(data, at, kind)
    if kind == _MAP:
        raise ValueError("a page header holds a map, which none of the format has")
    return _integer(data, at)


def _after(data: bytes, at: int, kind: int) -> int:
    if kind == _BINARY:
        length, at = _varint(data, at)
        return at + length
    if kind in (_LIST, _SET):
        return _after_list(data, at)
    return at + (1 if kind == _BYTE else 8)


def _after_list(data: bytes, at: int) -> int:
    head = data[at]
    at += 1
    count, kind = head >> 4, head & 0x0F
    if count == 15:
        count, at = _varint(data, at)
    for _ in range(count):
        # In a list a boolean takes a byte.
        at = at + 1 if kind in (_TRUE, _FALSE) else _value(data, at, kind)[1]
    return at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _integer(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at
