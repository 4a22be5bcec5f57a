"""What was found, as a file for other programs."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.run import outputs
from jobs.run.context import Context
from udfs.cells import guarded
from udfs.errors import InputError
from udfs.visible import visible_json

SUFFIXES = (".csv", ".json", ".parquet", ".html")

FOUND = pa.schema(
    [
        ("asked", pa.string()),
        ("rank", pa.int32()),
        ("similarity", pa.float64()),
        ("strangers", pa.float64()),
        ("person_id", pa.string()),
        ("decision", pa.string()),
        ("run_date", pa.string()),
        ("captured_at", pa.string()),
        ("source", pa.string()),
        ("case_id", pa.string()),
        ("uri", pa.string()),
        ("others", pa.list_(pa.string())),
        ("faces_in_image", pa.int32()),
        ("face_id", pa.string()),
        ("image_id", pa.string()),
        ("contract_id", pa.string()),
        ("box", pa.list_(pa.float64())),
    ]
)
"""Of one face that was found; times are text, in UTC."""


def refuse_output(output: Path, investigation: str | None) -> None:
    """Raise if nothing can be written there.

    Raises:
        InputError: another kind of file, or a page of a question that has no name.
    """
    if output.suffix not in SUFFIXES:
        raise InputError(f"--output {output}: use a name that ends in {', '.join(SUFFIXES)}")
    if output.suffix == ".html" and investigation is None:
        raise InputError("a page is made of an investigation: give the question a name, --investigation NAME")


def write_rows(context: Context, rows: Sequence[dict[str, Any]], output: Path) -> None:
    """Write rows (FOUND) as CSV, a line of JSON each, or Parquet, by the file's name. Lists are JSON in CSV."""
    outputs.write(context, output, _WRITTEN[output.suffix](rows))


def _parquet(rows: Sequence[dict[str, Any]]) -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=FOUND), content)
    return content.getvalue()


def _json(rows: Sequence[dict[str, Any]]) -> bytes:
    return "".join(visible_json(json.dumps(row, ensure_ascii=False)) + "\n" for row in rows).encode()


def _csv(rows: Sequence[dict[str, Any]]) -> bytes:
    content = io.StringIO(newline="")
    writer = csv.writer(content)
    writer.writerow(FOUND.names)
    writer.writerows([_cell(row[name]) for name in FOUND.names] for row in rows)
    return content.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value)
    return guarded(value) if isinstance(value, str) else value


_WRITTEN = {".csv": _csv, ".json": _json, ".parquet": _parquet}
