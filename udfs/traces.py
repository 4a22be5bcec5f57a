"""What is left in files of what was erased: every value and every byte of them is looked at.

Values are compared by their keyed hashes, so that a proof can be repeated by who no longer has the names. What is known
in clear is looked for as bytes as well, in pages of Parquet that are decompressed, also where no value is.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from udfs import lake
from udfs.arrow import BatchFunction, RecordBatches
from udfs.escapes import unescaped
from udfs.keyed import Keyed
from udfs.parquet_pages import pages
from udfs.words import tokens

Array = np.ndarray

TRACE = pa.schema([("uri", pa.string()), ("erasure_id", pa.string()), ("kind", pa.string()), ("places", pa.int64())])
READ, UNREADABLE = "bytes", "unreadable"
"""The kinds of rows that say how many bytes of a file were read, and that it is not what its name says: cut off by a
kill, most likely. Nobody can tell what it holds."""
_SHORTEST = 4
"""Bytes: anything shorter stands by chance in files that hold numbers; as a value it is found by its hash."""
_PROBE = 4
"""Values of a vector that are looked for as bytes: 16 bytes that stand nowhere by chance."""
_QUOTE = rb"\xe2\x80[\x98-\x9f\xa6\xb9\xba]"
"""Typographic quotation marks and dots in UTF-8; and «», which have two bytes."""
_WORD_BEFORE = rb"(?:(?<![\w\x80-\xff-])|(?<=" + _QUOTE + rb")|(?<=\xc2[\xab\xbb]))"
_WORD_AFTER = rb"(?:(?![\w\x80-\xff%-]|\.\w)|(?=" + _QUOTE + rb"|\xc2[\xab\xbb]))"
_DAMAGE = (pa.ArrowException, OSError, ValueError, EOFError, RuntimeError, LookupError, ArithmeticError, TypeError)
"""What the readers of damaged files raise."""


@dataclass(frozen=True)
class Sought:
    """What is looked for.

    hashes: of each keyed hash, the erasure and the kind of value. erasure_id: the one that knows the rest in clear.
    texts: by kind. vectors: float32 (n, d) of each width; codes: the same as they are quantised.
    """

    keyed: Keyed
    hashes: Mapping[str, tuple[str, str]]
    erasure_id: str = ""
    texts: tuple[tuple[str, str], ...] = ()
    vectors: tuple[Array, ...] = ()
    codes: tuple[Array, ...] = field(default=())

    def in_file(self, uri: str) -> tuple[Counter[tuple[str, str]], int]:
        """How often each kind of value of each erasure is in a file; and the file's bytes."""
        store, path = lake.place(uri)
        found: Counter[tuple[str, str]] = Counter()
        with store.open_input_file(path) as file:
            size = int(file.size())
            try:
                if path.endswith(".parquet") and not _hidden(path):
                    self._in_parquet(file, found)
                else:
                    self._in_other(path, file.read(), found)
            except _DAMAGE:
                file.seek(0)
                self._in_bytes(file.read(), found)
                found["", UNREADABLE] += 1
        return found, size

    def _in_parquet(self, file: pa.NativeFile, found: Counter[tuple[str, str]]) -> None:
        parquet = pq.ParquetFile(file)
        for group in range(parquet.num_row_groups):
            for column in range(len(parquet.schema_arrow)):
                name = parquet.schema_arrow.field(column).name
                table = parquet.read_row_group(group, columns=[name])
                for chunk in table.itercolumns():
                    self._in_values(chunk.combine_chunks(), found)
        for page in pages(file, parquet.metadata):
            self._in_bytes(page, found, with_length=True)

    def _in_other(self, path: str, content: bytes, found: Counter[tuple[str, str]]) -> None:
        if path.endswith((".npy", ".arrow")):
            self._in_bytes(content, found)
        if path.endswith(".npy"):
            self._in_array(np.load(io.BytesIO(content), allow_pickle=False), found)
        elif path.endswith(".arrow"):
            for column in pa.ipc.open_file(content).read_all().itercolumns():
                self._in_values(column.combine_chunks(), found)
        else:
            written = content.decode("utf-8", "replace")
            read = unescaped(written)
            self._in_texts([written, read], found)
            as_written, as_read = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
            self._in_bytes(content, as_written)
            if read != written:
                self._in_bytes(read.encode("utf-8", "replace"), as_read)
            found.update(as_written | as_read)  # of each kind the larger number

    # --- values ----------------------------------------------------------------------------------------

    def _in_values(self, values: pa.Array | pa.ChunkedArray, found: Counter[tuple[str, str]]) -> None:
        if isinstance(values, pa.ChunkedArray):
            for chunk in values.chunks:
                self._in_values(chunk, found)
            return
        kind = values.type
        if pa.types.is_dictionary(kind):
            self._in_values(values.dictionary, found)
        elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
            self._in_texts(pc.unique(values).drop_null().to_pylist(), found)
        elif pa.types.is_struct(kind):
            for at in range(kind.num_fields):
                self._in_values(values.field(at), found)
        elif pa.types.is_map(kind):
            self._in_values(values.keys, found)
            self._in_values(values.items, found)
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            if pa.types.is_float32(kind.value_type):
                offsets, flat = values.offsets.to_numpy(), values.values.to_numpy(zero_copy_only=False)
                for begin, end in pairwise(offsets):
                    self._hit(self.keyed.vector(flat[begin:end]), found)
            else:
                self._in_values(values.flatten(), found)

    def _in_texts(self, texts: list[str], found: Counter[tuple[str, str]]) -> None:
        for each in {token for text in texts for token in (text, *tokens(text))}:
            self._hit(self.keyed.text(each), found)

    def _in_array(self, array: Array, found: Counter[tuple[str, str]]) -> None:
        """Vectors, or panels of codes as udfs.search.samples has them."""
        if array.dtype == np.float32 and array.ndim == 2:
            for row in array:
                self._hit(self.keyed.vector(row), found)
        elif array.dtype == np.uint8 and array.ndim == 4:
            codes = (array ^ 0x80).view(np.int8).transpose(0, 2, 1, 3)
            for row in codes.reshape(-1, array.shape[1] * 4):
                self._hit(self.keyed.codes(row), found)

    def _hit(self, hashed: str, found: Counter[tuple[str, str]]) -> None:
        if (known := self.hashes.get(hashed)) is not None:
            found[known] += 1

    # --- bytes -----------------------------------------------------------------------------------------

    def _in_bytes(self, content: bytes, found: Counter[tuple[str, str]], *, with_length: bool = False) -> None:
        """with_length: whether a value may stand behind its length (Parquet's plain encoding), and any byte behind it:
        that is of the next one's length."""
        for kind, text in self.texts:
            literal = text.encode()
            if len(literal) >= _SHORTEST and literal in content:
                pattern = _WORD_BEFORE + re.escape(literal) + _WORD_AFTER
                if with_length:
                    pattern += b"|(?<=" + re.escape(len(literal).to_bytes(4, "little")) + b")" + re.escape(literal)
                whole = re.findall(pattern, content)
                if whole:
                    found[self.erasure_id, kind] += len(whole)
        for vectors in (*self.vectors, *self.codes):
            kept = vectors.astype(vectors.dtype.newbyteorder("<"))
            width = _PROBE if vectors.dtype.itemsize == 4 else 4 * _PROBE
            for row in kept:
                if row[:width].tobytes() in content:
                    found[self.erasure_id, "embedding"] += 1


def _hidden(path: str) -> bool:
    """Such as Hadoop's own checksums of a file, which have its whole name."""
    return path.rpartition("/")[2].startswith(".")


def traces(sought: Sought) -> BatchFunction:
    """A function of files (`uri`): what is left in each (TRACE), and how much was read."""

    def search(batches: RecordBatches) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for uri in batch["uri"].to_pylist():
                try:
                    found, size = sought.in_file(uri)
                except FileNotFoundError:
                    continue  # of a run that has begun meanwhile, and has put another file in its place
                rows = [(uri, erasure, kind, places) for (erasure, kind), places in sorted(found.items())]
                columns = zip(*[*rows, (uri, "", READ, size)], strict=True)
                yield pa.record_batch([pa.array(c, f.type) for c, f in zip(columns, TRACE, strict=True)], schema=TRACE)

    return search
