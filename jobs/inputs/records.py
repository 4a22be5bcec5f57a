"""Rows that a user gives: a CSV, Parquet or Delta file with columns of known names."""

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.run.context import Context
from schemas.store import spark_path
from udfs import lake
from udfs.errors import InputError


@dataclass(frozen=True)
class Record:
    """One row, and where it stands, for messages: `FILE: line 7`."""

    where: str
    values: dict[str, Any]

    def text(self, name: str) -> str:
        """A value as text without spaces around it; empty where there is none."""
        value = self.values.get(name)
        return "" if value is None else str(value).strip()


def is_rows(uri: str) -> bool:
    """Whether this is a file or table of rows, and no folder of photos."""
    return uri.lower().rstrip("/").endswith((".csv", ".parquet")) or _is_delta(uri)


def read(
    context: Context, uri: str, required: Collection[str], optional: Collection[str] = (), others: bool = False
) -> list[Record]:
    """The rows of a `.csv`, a `.parquet` (a file, or a folder of files as Spark writes it), or a Delta table.

    others: whether there may be columns of other names.

    Raises:
        InputError: it cannot be read, or its columns are not these.
    """
    columns = _Columns(set(required), set(optional), others)
    if uri.lower().endswith(".csv"):
        return _from_csv(uri, columns)
    if uri.lower().rstrip("/").endswith(".parquet"):
        return _from_parquet(uri, columns)
    if _is_delta(uri):
        return _from_delta(context, uri, columns)
    raise InputError(f"{uri}: is not a .csv file, a .parquet file or folder, or a Delta table")


def text(uri: str) -> str:
    """What a text file says.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    try:
        return lake.read_anything(uri).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{uri}: is not UTF-8 text; save it as UTF-8") from error


def absolute(file: str, uri: str) -> str:
    """A URI that may be relative to the folder its file is in."""
    if "://" in uri or uri.startswith("/"):
        return lake.uri_of(uri)
    parts = urlsplit(file)
    segments = parts.path.rstrip("/").split("/")[:-1]
    # By hand: urllib joins the URIs of the schemes it knows, and s3, gs, abfs and hdfs are none of them.
    for segment in lake.quoted(uri).split("/"):
        if segment == "..":
            segments = segments[:-1] or [""]
        elif segment != ".":
            segments.append(segment)
    return f"{parts.scheme}://{parts.netloc}{'/'.join(segments)}"


@dataclass(frozen=True)
class _Columns:
    required: set[str]
    optional: set[str]
    others: bool

    def check(self, uri: str, names: list[str]) -> None:
        if twice := {name for name in names if names.count(name) > 1}:
            raise InputError(f"{uri}: has two columns {', '.join(sorted(twice))}")
        missing, unknown = self.required - set(names), set(names) - self.required - self.optional
        if missing:
            raise InputError(f"{uri}: has no column {', '.join(sorted(missing))}")
        if unknown and not self.others:
            known = ", ".join(sorted(self.required | self.optional))
            raise InputError(f"{uri}: unknown column {', '.join(sorted(unknown))}; known are: {known}")


def _is_delta(uri: str) -> bool:
    return any(name.rstrip("/").endswith("/_delta_log") for name in lake.list_directory(uri).directories)


def _from_csv(uri: str, columns: _Columns) -> list[Record]:
    reader = csv.DictReader(io.StringIO(text(uri), newline=""), strict=True)
    rows = []
    try:
        columns.check(uri, list(reader.fieldnames or []))
        for row in reader:
            where = f"{uri}: line {reader.line_num}"
            if None in row or None in row.values():
                raise InputError(f"{where}: has another number of fields than the header")
            rows.append(Record(where, row))
    except csv.Error as error:
        raise InputError(f"{uri}: line {reader.line_num + 1}: {error}; correct its quotes") from error
    return rows


def _from_parquet(uri: str, columns: _Columns) -> list[Record]:
    files = [file.uri for file in lake.list_directory(uri).files]
    parts = [part for part in files if not part.rpartition("/")[2].startswith(("_", "."))]
    if not parts:
        raise InputError(f"{uri}: contains no Parquet file")
    rows: list[Record] = []
    for part in parts:
        content = pa.BufferReader(lake.read_anything(part))
        try:
            table = pq.read_table(content)
        except (pa.ArrowException, OSError) as error:  # the second is pyarrow's word for a damaged page
            raise InputError(f"{part}: is not a whole Parquet file; write it again, or use a .csv file") from error
        columns.check(part, table.column_names)
        where = uri if part == uri else f"{uri}: {part.rpartition('/')[2]}"
        rows += [Record(f"{where}: row {at}", row) for at, row in enumerate(table.to_pylist(), start=1)]
    return rows


def _from_delta(context: Context, uri: str, columns: _Columns) -> list[Record]:
    table = context.spark.read.format("delta").load(spark_path(uri))
    columns.check(uri, table.columns)
    # By Arrow, whose timestamps are UTC; those of `collect` are in the time zone of this machine.
    return [Record(f"{uri}: row {at}", row) for at, row in enumerate(table.toArrow().to_pylist(), start=1)]
