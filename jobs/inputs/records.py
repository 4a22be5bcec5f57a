"""Rows that a user gives: a CSV, Parquet or Delta file with columns of known names."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import Any, TypeGuard
from urllib.parse import urlsplit
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column
from pyspark.sql import functions as F

from jobs.inputs import arrow_rows, csv_rows, person_ids
from jobs.inputs.columns import Columns, Others
from jobs.run.context import Context
from schemas.store import spark_path
from udfs import lake
from udfs.errors import InputError

_EXACT = 2**53
"""Floating point knows every whole number below this one."""


@dataclass(frozen=True)
class Record:
    """One row, and where it stands, for messages: `FILE: line 7`."""

    where: str
    values: dict[str, Any]

    def text(self, name: str) -> str:
        """A value as text without spaces around it; empty where there is none. A whole number is written as one, also
        where its column is of floating point or decimals.

        Raises:
            InputError: bytes that are not UTF-8.
        """
        return _as_text(f"{self.where}: {name}", self.values.get(name))

    def texts(self, name: str) -> list[str]:
        """The texts of an array, or those between the `;` of one text; none of them empty.

        Raises:
            InputError: it is neither, or bytes that are not UTF-8.
        """
        value = self.values.get(name)
        where = f"{self.where}: {name}"
        if not isinstance(value, list):
            if not isinstance(value, str | bytes) and _as_text(where, value):
                raise InputError(f"{where} must be an array of strings, or text with `;` between them")
            value = _as_text(where, value).split(";")
        return [text for text in (_as_text(where, each) for each in value) if text]

    def person(self, name: str) -> str:
        """A person's id in its normal form; empty where there is none.

        Raises:
            InputError: it is not text nor a whole number, or contains what cannot be seen.
        """
        self._refuse_what_names_nothing(name)
        return person_ids.normal(f"{self.where}: {name}", self.text(name))

    def uri(self, name: str, beside: str) -> str:
        """The URI of a photo, which may be relative to the folder that the file `beside` is in; empty where there is
        none.

        Raises:
            InputError: it is not a URI, or of a store that cannot be read.
        """
        self._refuse_what_names_nothing(name)
        written = self.text(name)
        try:
            return absolute(beside, written) if written else ""
        except InputError as error:
            raise InputError(f"{self.where}: {name}: {error}") from error

    def _refuse_what_names_nothing(self, name: str) -> None:
        value = self.values.get(name)
        if isinstance(value, bool) or not (value is None or isinstance(value, str | bytes | UUID) or _is_whole(value)):
            raise InputError(f"{self.where}: {name} is {value!r}; write it as text or as a whole number")
        if isinstance(value, float) and abs(value) >= _EXACT:
            raise InputError(
                f"{self.where}: {name} is {value!r}, whose last digits are lost; write the column as text or integers"
            )


def _as_text(where: str, value: object) -> str:
    if value is None or (isinstance(value, float) and isnan(value)):  # NaN, which pandas writes where there is nothing
        return ""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{where} is {value!r}, which is not text; write it as text") from error
    return str(int(value) if _is_whole(value) else value).strip()


def _is_whole(value: object) -> TypeGuard[int | float | Decimal]:
    if isinstance(value, float):
        return value.is_integer()
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, int) and not isinstance(value, bool)


def is_rows(uri: str) -> bool:
    """Whether this is a file or table of rows, and no folder of photos."""
    return uri.lower().rstrip("/").endswith((".csv", ".parquet")) or _is_delta(uri)


def read(
    context: Context,
    uri: str,
    required: Collection[str],
    optional: Collection[str] = (),
    others: Others = "refused",
) -> list[Record]:
    """The rows of a `.csv`, a `.parquet` (a file, or a folder of files as Spark writes it), or a Delta table.

    others: what becomes of columns of other names. Those that are left out are said.

    Raises:
        InputError: it cannot be read, or its columns are not these.
    """
    columns = Columns(required, optional, others)
    if uri.lower().endswith(".csv"):
        rows, written = csv_rows.read(uri, columns)
    elif uri.lower().rstrip("/").endswith(".parquet"):
        rows, written = _from_parquet(uri, columns)
    elif _is_delta(uri):
        rows, written = _from_delta(context, uri, columns)
    else:
        raise InputError(f"{uri}: is not a .csv file, a .parquet file or folder, or a Delta table")
    if left_out := columns.left_out(written):
        context.log.info(f"{context.job}: columns left out of {uri}: {', '.join(left_out)}")
    return [Record(*row) for row in rows]


_HAS_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):[/\\]+", re.IGNORECASE)
_ONE_SLASH = re.compile(r"file:/(?!/)", re.IGNORECASE)
"""How Hadoop and Spark write the URI of a local file."""


def absolute(file: str, uri: str) -> str:
    """A URI that may be relative to the folder its file is in.

    Raises:
        InputError: it is malformed, or of a store that cannot be read.
    """
    if scheme := _HAS_SCHEME.match(uri):
        if scheme[1].lower() not in lake.SCHEMES:
            readable = ", ".join(f"{name}://" for name in lake.SCHEMES)
            raise InputError(
                f"{uri!r}: {uri[: scheme.end()]} cannot be read; copy the photo, and write its path, or a URI that"
                f" begins with {readable}"
            )
        whole = lake.uri_of(_ONE_SLASH.sub("file:///", uri))
    elif uri.startswith("/"):
        whole = lake.uri_of(uri)
    else:
        whole = _beside(file, uri)
    if "%00" in whole:
        raise InputError(f"{whole}: it contains a NUL (%00), which no file name can; correct it")
    return whole


def _beside(file: str, path: str) -> str:
    parts = urlsplit(file)
    segments = parts.path.rstrip("/").split("/")[:-1]
    # By hand: urllib joins the URIs of the schemes it knows, and s3, gs, abfs and hdfs are none of them.
    for segment in lake.quoted(path).split("/"):
        if segment == "..":
            segments = segments[:-1] or [""]
        elif segment != ".":
            segments.append(segment)
    return f"{parts.scheme}://{parts.netloc}{'/'.join(segments)}"


def _is_delta(uri: str) -> bool:
    return any(name.rstrip("/").endswith("/_delta_log") for name in lake.list_directory(uri).directories)


_Rows = tuple[list[tuple[str, dict[str, Any]]], list[str]]
"""Where each row stands with its values, and the names of all columns as they are written."""


def _from_parquet(uri: str, columns: Columns) -> _Rows:
    files = [file.uri for file in lake.list_directory(uri).files]
    parts = [part for part in files if not part.rpartition("/")[2].startswith(("_", "."))]
    if not parts:
        raise InputError(f"{uri}: contains no Parquet file")
    rows, written = [], dict[str, None]()
    for part in parts:
        content = pa.BufferReader(lake.read_anything(part))
        try:
            # ParquetFile, not read_table: that fails on two columns of one name, and does not say so.
            file = pq.ParquetFile(content)
            chosen = columns.chosen(part, file.schema_arrow.names)
            table = file.read(columns=list(chosen)).select(list(chosen)).rename_columns(list(chosen.values()))
        except (pa.ArrowException, OSError) as error:  # the second is pyarrow's word for a damaged page
            raise InputError(f"{part}: is not a whole Parquet file; write it again, or use a .csv file") from error
        where = uri if part == uri else f"{uri}: {part.rpartition('/')[2]}"
        rows += arrow_rows.of_table(where, table)
        written |= dict.fromkeys(file.schema_arrow.names)
    return rows, list(written)


def _from_delta(context: Context, uri: str, columns: Columns) -> _Rows:
    table = context.spark.read.format("delta").load(spark_path(uri))
    chosen = columns.chosen(uri, table.columns)
    kept = table.select(*(_column(written).alias(name) for written, name in chosen.items()))
    # By Arrow, whose timestamps are UTC; those of `collect` are in the time zone of this machine.
    return arrow_rows.of_table(uri, kept.toArrow()), table.columns


def _column(name: str) -> Column:
    """A column whose name may have dots in it."""
    return F.col(f"`{name.replace('`', '``')}`")
