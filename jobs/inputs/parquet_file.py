"""A Parquet file that a user gives, which may claim or unfold to more than there is memory: a few kilobytes can hold a
text of megabytes once, and say that it stands in each of a billion rows."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from udfs.errors import InputError

_ROWS = 50_000_000
_ROWS_A_BYTE = 8
"""More than any list of different photos has, however it is compressed; a short one may have more."""
_SHORT = 1_000_000
"""Rows."""
_BYTES = 4 * 2**30
"""Of the columns that are read, as they are unfolded."""


def opened(where: str, content: bytes) -> pq.ParquetFile:
    """The file, before rows are read. where: what to name in messages.

    Raises:
        InputError: it says that it has more rows than it can have.
        ArrowException, OSError: it is no Parquet file.
    """
    # ParquetFile, not read_table: that fails on two columns of one name, and does not say so.
    # Microseconds, as the times of INT96, which Spark writes, overflow after 2262 in nanoseconds.
    metadata = pq.read_metadata(pa.BufferReader(content))
    if metadata.num_rows > min(_ROWS, max(_SHORT, _ROWS_A_BYTE * len(content))):
        raise _too_large(where, f"says that it has {metadata.num_rows:,} rows in {len(content):,} bytes")
    # A text that stands in many rows is kept once, by its number: so its size is known before it is unfolded.
    texts = [column.path for column in metadata.schema if column.physical_type == "BYTE_ARRAY"]
    return pq.ParquetFile(pa.BufferReader(content), coerce_int96_timestamp_unit="us", read_dictionary=texts)


def read(where: str, file: pq.ParquetFile, names: list[str]) -> pa.Table:
    """Some columns, in this order.

    Raises:
        InputError: they are larger than what can be read.
        ArrowException, OSError: they are damaged.
    """
    groups = (file.metadata.row_group(at) for at in range(file.metadata.num_row_groups))
    columns = (group.column(at) for group in groups for at in range(group.num_columns))
    claimed = sum(each.total_uncompressed_size for each in columns if each.path_in_schema.split(".")[0] in names)
    if claimed > _BYTES:
        raise _too_large(where, f"unfolds to {claimed:,} bytes")
    table = file.read(columns=names).select(names)
    size = sum(_size(chunk) for column in table.columns for chunk in column.chunks)
    if size > _BYTES:
        raise _too_large(where, f"unfolds to {size:,} bytes")
    return table


def _size(array: pa.Array) -> int:
    """Bytes of an array, each text counted wherever it stands."""
    if pa.types.is_dictionary(array.type):
        lengths = pc.fill_null(pc.binary_length(array.dictionary), 0)
        return int(pc.sum(lengths.take(array.indices).cast(pa.int64())).as_py() or 0)
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return _size(array.flatten())
    return int(array.nbytes)


def _too_large(where: str, told: str) -> InputError:
    return InputError(f"{where}: {told}, which is more than a list can have; write it again, or in several files")
