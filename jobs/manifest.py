"""What a gallery's owner says: who is registered, with which photos."""

import csv
import io
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import unquote_to_bytes, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.options import Context
from schemas.store import spark_path
from udfs import lake
from udfs.errors import InputError

_REQUIRED = {"person_id", "uri"}
_OPTIONAL = {"name", "labels", "valid_from", "valid_to"}


@dataclass(frozen=True)
class Photo:
    """One photo of one person. Labels are sorted; an open end of the validity is None."""

    person_id: str
    uri: str
    name: str | None = None
    labels: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None


def read(context: Context, gallery: str) -> list[Photo]:
    """The photos of a folder `PERSON/*`, or of a CSV, Parquet or Delta manifest, by person and URI.

    A manifest has `person_id` and `uri`, and may have `name`, `labels` (in CSV separated by `;`),
    `valid_from`, `valid_to`. A relative `uri` is relative to the folder the manifest is in. A Parquet
    manifest may be a folder of files, as Spark writes it; its name ends in `.parquet`.

    Raises:
        InputError: it cannot be read, or a row is wrong; the row is named.
    """
    uri = lake.uri_of(gallery)
    if uri.lower().endswith(".csv"):
        rows = _from_csv(uri)
    elif _is_delta(uri):
        rows = _from_delta(context, uri)
    elif uri.lower().rstrip("/").endswith(".parquet"):
        rows = _from_parquet(uri)
    else:
        return _sorted(_from_folder(context, uri))
    return _sorted([_photo(uri, where, row) for where, row in rows])


def _sorted(photos: list[Photo]) -> list[Photo]:
    unique = {(photo.person_id, photo.uri): photo for photo in photos}
    for photo in photos:
        if unique[photo.person_id, photo.uri] != photo:
            raise InputError(f"{photo.uri} of {photo.person_id!r} stands twice and differs; keep one row")
    return sorted(unique.values(), key=lambda photo: (photo.person_id, photo.uri))


def _is_delta(uri: str) -> bool:
    return any(name.rstrip("/").endswith("/_delta_log") for name in lake.list_directory(uri).directories)


def _from_folder(context: Context, uri: str) -> list[Photo]:
    listing = lake.list_directory(uri)
    if listing.files and not listing.directories:
        raise InputError(f"{uri}: photos belong in a folder a person: {uri.rstrip('/')}/PERSON/photo.jpg")
    if listing.files:
        context.say(f"enroll: {len(listing.files)} files beside the persons' folders are passed over")
    return [
        Photo(person, file.uri, name=person)
        for directory in listing.directories
        for person in [_decoded(directory.rstrip("/").rpartition("/")[2])]
        for file in lake.list_below(directory)
    ]


def _decoded(encoded: str) -> str:
    """A folder's name; one that is not UTF-8 keeps its percent-encoded form."""
    try:
        return unquote_to_bytes(encoded).decode("utf-8")
    except UnicodeDecodeError:
        return encoded


def _from_csv(uri: str) -> list[tuple[str, dict[str, object]]]:
    try:
        text = lake.read_anything(uri).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{uri}: not UTF-8; save it as UTF-8 CSV") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    _check_columns(uri, list(reader.fieldnames or []))
    rows: list[tuple[str, dict[str, object]]] = []
    try:
        for row in reader:
            where = f"line {reader.line_num}"
            if None in row or None in row.values():
                raise InputError(f"{uri}: {where}: not as many fields as the header has")
            labels = [label.strip() for label in (row.get("labels") or "").split(";")]
            rows.append((where, {**row, "labels": labels}))
    except csv.Error as error:
        raise InputError(f"{uri}: line {reader.line_num}: {error}") from error
    return rows


def _from_parquet(uri: str) -> list[tuple[str, dict[str, object]]]:
    files = [file.uri for file in lake.list_directory(uri).files]
    parts = [part for part in files if not part.rpartition("/")[2].startswith(("_", "."))]
    if not parts:
        raise InputError(f"{uri}: no Parquet file in it; name a manifest")
    rows: list[tuple[str, dict[str, object]]] = []
    for part in parts:
        try:
            table = pq.read_table(pa.BufferReader(lake.read_anything(part)))
        except pa.ArrowException as error:
            raise InputError(f"{part}: not a Parquet file; write it again, or name a .csv") from error
        _check_columns(part, table.column_names)
        where = "row" if part == uri else f"{part.rpartition('/')[2]} row"
        rows += [(f"{where} {at}", row) for at, row in enumerate(table.to_pylist(), start=1)]
    return rows


def _from_delta(context: Context, uri: str) -> list[tuple[str, dict[str, object]]]:
    table = context.spark.read.format("delta").load(spark_path(uri))
    _check_columns(uri, table.columns)
    # By Arrow, whose timestamps are UTC; those of `collect` are in the time zone of this machine.
    return [(f"row {at}", row) for at, row in enumerate(table.toArrow().to_pylist(), start=1)]


def _check_columns(uri: str, names: list[str]) -> None:
    missing, unknown = _REQUIRED - set(names), set(names) - _REQUIRED - _OPTIONAL
    if missing:
        raise InputError(f"{uri}: has no column {', '.join(sorted(missing))}")
    if unknown:
        known = ", ".join(sorted(_REQUIRED | _OPTIONAL))
        raise InputError(f"{uri}: unknown column {', '.join(sorted(unknown))}; known are: {known}")


def _photo(manifest: str, where: str, row: dict[str, object]) -> Photo:
    person, uri = str(row["person_id"] or "").strip(), str(row["uri"] or "").strip()
    if not person or not uri:
        raise InputError(f"{manifest}: {where}: person_id and uri must not be empty")
    labels = row.get("labels") or []
    if not isinstance(labels, list):
        raise InputError(f"{manifest}: {where}: labels must be an array of strings")
    photo = Photo(
        person,
        _absolute(manifest, uri),
        str(row.get("name") or person),
        tuple(sorted({str(label) for label in labels if label})),
        _date(manifest, where, "valid_from", row.get("valid_from")),
        _date(manifest, where, "valid_to", row.get("valid_to")),
    )
    if photo.valid_from and photo.valid_to and photo.valid_from > photo.valid_to:
        raise InputError(f"{manifest}: {where}: valid_from is after valid_to")
    return photo


def _absolute(manifest: str, uri: str) -> str:
    if "://" in uri or uri.startswith("/"):
        return lake.uri_of(uri)
    parts = urlsplit(manifest)
    segments = parts.path.rstrip("/").split("/")[:-1]
    # By hand: urllib joins the URIs of the schemes it knows, and s3, gs, abfs and hdfs are none of them.
    for segment in lake.quoted(uri).split("/"):
        if segment == "..":
            segments = segments[:-1] or [""]
        elif segment != ".":
            segments.append(segment)
    return f"{parts.scheme}://{parts.netloc}{'/'.join(segments)}"


def _date(manifest: str, where: str, name: str, value: object) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, datetime):  # which is a date to Python, and has a time of day that a validity has not
        if value.replace(tzinfo=None) != datetime(value.year, value.month, value.day):
            raise InputError(f"{manifest}: {where}: {name} {value} has a time of day; write a date, such as 2026-01-31")
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError as error:
        raise InputError(f"{manifest}: {where}: {name} {value!r} is no date; write 2026-01-31") from error
