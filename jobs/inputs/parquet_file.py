"""A Parquet file that a user gives, which may claim or unfold to more than there is memory: a few kilobytes can hold a
text of megabytes once, and say that it stands in each of a billion rows."""

from collections.abc import Iterator
from contextlib import contextmanager

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
"""Of all columns as the file says, and of those that are read as they are unfolded."""


@contextmanager
def _damage_is_said(where: str) -> Iterator[None]:
    """Whatever pyarrow raises inside says that the file is not whole: ArrowException, OSError and, for what its C++
    raises, RuntimeError, IndexError, UnicodeDecodeError and more. where: what to name in the message.

    Raises:
        InputError: so it was; or one that was raised inside.
    """
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:
        raise InputError(f"{where}: is not a whole Parquet file; write it again, or use a .csv file") from error


def opened(where: str, content: bytes) -> pq.ParquetFile:
    """The file, before rows are read. where: what to name in messages.

    Raises:
        InputError: it is no Parquet file, or says that it has more than it can have.
    """
    with _damage_is_said(where):
        return _opened(where, content)


def _opened(where: str, content: bytes) -> pq.ParquetFile:
    # ParquetFile, not read_table: that fails on two columns of one name, and does not say so.
    # Microseconds, as the times of INT96, which Spark writes, overflow after 2262 in nanoseconds.
    metadata = pq.read_metadata(pa.BufferReader(content))
    if metadata.num_rows > min(_ROWS, max(_SHORT, _ROWS_A_BYTE * len(content))):
        raise _too_large(where, f"says that it has {metadata.num_rows:,} rows in {len(content):,} bytes")
    # Not of the columns that are read alone: where a column's description is damaged, asking for it ends the process.
    claimed = sum(metadata.row_group(at).total_byte_size for at in range(metadata.num_row_groups))
    if claimed > _BYTES:
        raise _too_large(where, f"unfolds to {claimed:,} bytes")
    # A text that stands in many rows is kept once, by its number: so its size is known before it is unfolded.
    texts = [column.path for column in metadata.schema if column.physical_type == "BYTE_ARRAY"]
    return pq.ParquetFile(pa.BufferReader(content), coerce_int96_timestamp_unit="us", read_dictionary=texts)


def names(where: str, file: pq.ParquetFile) -> list[str]:
    """The columns, in order.

    Raises:
        InputError: a name is damaged.
    """
    with _damage_is_said(where):
        return list(file.schema_arrow.names)


def read(where: str, file: pq.ParquetFile, columns: list[str]) -> pa.Table:
    """Some columns, in this order.

    Raises:
        InputError: they are damaged, or larger than what can be read.
    """
    with _damage_is_said(where):
        table = file.read(columns=columns).select(columns)
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
    return InputError(
        f"{where}: {told}, which is more than a list can have; write its columns alone, or in several files"
    )
