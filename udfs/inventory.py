"""Arrow in, Arrow out: directories to files, and files to rows of the inventory."""

from collections.abc import Iterator
from datetime import date

import pyarrow as pa

from udfs import lake
from udfs.arrow import BatchFunction, RecordBatches
from udfs.ids import image_id
from udfs.template import Template

FILE = pa.schema([("uri", pa.string()), ("size", pa.int64()), ("modified_us", pa.int64()), ("regular", pa.bool_())])
IMAGE = pa.schema([("image_id", pa.string()), *FILE])
"""What is known of an image before it is read."""
INVENTORY = pa.schema(
    [
        *IMAGE,
        ("run_date", pa.string()),
        ("captured_at", pa.string()),
        ("source", pa.string()),
        ("case_id", pa.string()),
        ("problem", pa.string()),
    ]
)
LISTED_FILE = pa.schema([*FILE, ("problem", pa.string())])
"""A file; or a folder that could not be listed, and why."""
FOLDER = pa.schema([("uri", pa.string()), ("at_any_depth", pa.bool_())])
"""A folder whose files are to be listed: those directly in it, or all below it."""
_ROWS = 4096


def list_folders(batches: RecordBatches) -> RecordBatches:
    """Folders (FOLDER) -> their files (LISTED_FILE), and what below them could not be listed. Of what a folder holds,
    `_ROWS` files are held at a time.
    """
    for batch in batches:
        for folder in batch.to_pylist():
            # One at any depth existed when the driver listed its parent, and may have been removed since.
            uri, deep = folder["uri"], folder["at_any_depth"]
            yield from _batched(_below(uri) if deep else map(vars, lake.files_in(uri)), LISTED_FILE)


def _below(folder: str) -> Iterator[dict[str, object]]:
    problems: list[str] = []
    for file in lake.list_below(folder, missing_ok=True, pass_over=lambda error: problems.append(str(error))):
        yield vars(file)
    for problem in problems:
        yield {"uri": folder, "size": 0, "modified_us": 0, "regular": False, "problem": problem}


def describe(template: Template) -> BatchFunction:
    """Files (FILE or LISTED_FILE) -> rows of the inventory (INVENTORY).

    `run_date` is the template's, else the date of modification in UTC; it is null for a file that does not
    fit the template, and for a folder that could not be listed.
    """

    def rows(batches: RecordBatches) -> Iterator[dict[str, object]]:
        for batch in batches:
            for row in batch.to_pylist():
                uri, modified_us = row["uri"], row["modified_us"]
                parts = None if row.get("problem") else template.parse(uri)
                run_date = None if parts is None else parts.get("run_date", _date(modified_us))
                yield {
                    **row,
                    "image_id": image_id(uri, row["size"], modified_us),
                    **{name: (parts or {}).get(name) for name in ("captured_at", "source", "case_id")},
                    "run_date": run_date,
                }

    return lambda batches: _batched(rows(batches), INVENTORY)


def _date(modified_us: int) -> str:
    """The day in UTC; a time beyond the dates there are, which a table may hold, counts as the first or last day."""
    day = date(1970, 1, 1).toordinal() + modified_us // 86_400_000_000
    return date.fromordinal(max(1, min(day, date.max.toordinal()))).isoformat()


def stat_photos(batches: RecordBatches) -> RecordBatches:
    """(uri) -> the file as it is now (FILE); one that is gone has size 0 and time 0."""
    for batch in batches:
        yield from _batched((vars(lake.find(uri)) for uri in batch.column("uri").to_pylist()), FILE)


LISTED = pa.schema([("place", pa.int32()), ("person_id", pa.string()), ("photo_id", pa.string()), *FILE])
"""A photo of a person in the list of a gallery's owner: its place in the list, and its file as it is now."""


def stat_listed(batches: RecordBatches) -> RecordBatches:
    """(place, person_id, uri) of photos -> the same with their files (LISTED)."""

    def rows(batch: pa.RecordBatch) -> Iterator[dict[str, object]]:
        for row in batch.to_pylist():
            file = lake.find(row["uri"])
            photo_id = image_id(file.uri, file.size, file.modified_us)
            yield {**row, **vars(file), "photo_id": photo_id}

    for batch in batches:
        yield from _batched(rows(batch), LISTED)


def _batched(rows: Iterator[dict[str, object]], schema: pa.Schema) -> RecordBatches:
    held: list[dict[str, object]] = []
    for row in rows:
        held.append(row)
        if len(held) == _ROWS:
            yield pa.RecordBatch.from_pylist(held, schema=schema)
            held = []
    if held:
        yield pa.RecordBatch.from_pylist(held, schema=schema)
