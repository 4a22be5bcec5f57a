"""What was found, as a file for other programs."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from udfs.cells import guarded
from udfs.errors import InputError

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


def write_rows(rows: Sequence[dict[str, Any]], output: Path) -> None:
    """Write rows (FOUND) as CSV, a line of JSON each, or Parquet, by the file's name. Lists are JSON in CSV."""
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(list(rows), schema=FOUND), output)
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        if output.suffix == ".json":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            return
        writer = csv.writer(file)
        writer.writerow(FOUND.names)
        for row in rows:
            values = [row[name] for name in FOUND.names]
            writer.writerow([_cell(value) for value in values])


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value)
    return guarded(value) if isinstance(value, str) else value
